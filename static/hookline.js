// Names for inputs that are made in the browser: the search fields of selects get the label of their select.

function nameSearchFields() {
  document.querySelectorAll(".select2-search__field:not([aria-label])").forEach((field) => {
    const select = field.closest(".select2").previousElementSibling;
    const label = select && document.querySelector(`label[for="${CSS.escape(select.id)}"]`);
    if (label) field.setAttribute("aria-label", label.textContent.replace("*", "").trim());
  });
}

// An icon beside words is for the eye: its name is not read out. One that stands alone keeps it.
function hushIcons() {
  document.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach((icon) => {
    const words = icon.parentElement.textContent.replace(icon.textContent, "").trim();
    if (words || icon.parentElement.title) icon.setAttribute("aria-hidden", "true");
  });
}

// They are made, and made anew, whenever a select is set up.
window.addEventListener("DOMContentLoaded", () => {
  nameSearchFields();
  hushIcons();
  new MutationObserver(nameSearchFields).observe(document.body, { childList: true, subtree: true });
});

// Tables of figures can be taken along: a button below each writes it as a CSV file.

function cell(text) {
  const said = text.replace(/\s+/g, " ").trim();
  const plain = /^[+-]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(said) ? said.replaceAll(",", "") : said; // 11,800 is a number
  const safe = /^[=+@\t\r-]/.test(plain) && !/^[+-][\d.,]+$/.test(plain) ? `'${plain}` : plain; // never a formula
  return `"${safe.replace(/"/g, '""')}"`;
}

function asCsv(table) {
  const lines = [...table.rows].map((row) => [...row.cells].map((each) => cell(each.textContent)).join(","));
  return new Blob(["\ufeff" + lines.join("\r\n")], { type: "text/csv" });
}

function titleOf(table) {
  const heading = table.closest("section")?.querySelector("h2");
  return (heading ? heading.textContent : document.title).trim();
}

function offerCsv() {
  document.querySelectorAll("table.hl-counts:not([data-csv])").forEach((table) => {
    table.dataset.csv = "";
    if (!table.tHead || table.closest("form, [hx-trigger]") || table.tBodies[0]?.rows.length < 1) return;
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "hl-csv", textContent: "CSV ↓" });
    button.setAttribute("aria-label", `CSV: ${titleOf(table)}`);
    button.addEventListener("click", () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(asCsv(table));
      link.download = `${titleOf(table).replace(/[^\p{L}\p{N}]+/gu, "-")}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    });
    table.after(button);
  });
}

window.addEventListener("DOMContentLoaded", offerCsv);
document.addEventListener("htmx:afterSettle", offerCsv);

// Signed out meanwhile: said where it is seen, and what was on the page stays.
document.addEventListener("hlSignedOut", (event) => {
  if (document.querySelector("[data-signed-out]")) return;
  const note = document.createElement("p");
  note.className = "hl-problem";
  note.dataset.signedOut = "";
  note.setAttribute("role", "alert");
  note.textContent = event.detail.text;
  document.getElementById("content").prepend(note);
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status === 286 && !event.detail.xhr.responseText) event.detail.shouldSwap = false;
});
