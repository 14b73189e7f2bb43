// The composer's moving parts. Everything works without them: rows are plain inputs, buttons plain submits.

function renumber(table, name) {
  table.querySelectorAll("tbody tr").forEach((row, number) => {
    row.querySelectorAll("[name]").forEach((input) => {
      input.name = input.name.replace(new RegExp(`^${name}-\\d+-`), `${name}-${number}-`);
    });
  });
}

function addRow(block) {
  const body = block.querySelector("tbody");
  const row = body.rows[body.rows.length - 1].cloneNode(true);
  row.querySelectorAll(".hl-editor, .hl-findings").forEach((each) => each.remove());
  row.querySelectorAll(".hl-under").forEach((each) => {
    each.classList.remove("hl-under");
    each.removeAttribute("aria-hidden");
    each.removeAttribute("tabindex");
  });
  row.querySelectorAll("input, textarea").forEach((input) => {
    if (input.type === "checkbox") input.checked = false;
    else input.value = "";
  });
  body.append(row);
  renumber(block, block.dataset.rows);
  row.dispatchEvent(new CustomEvent("hl:added", { bubbles: true }));
  row.querySelector("input").focus();
}

window.hlRows = { add: addRow };

function removeRow(block, row) {
  if (block.querySelectorAll("tbody tr").length > 1) row.remove();
  else row.querySelectorAll("input, textarea").forEach((input) => {
    input.value = "";
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
  renumber(block, block.dataset.rows);
}

function fieldRow(name) {
  const input = document.querySelector(`[name="${name}"], [data-rows="${name}"]`);
  return input && (input.closest(".field-line") || input.closest(`.field-${name}`) || input.closest(".form-row"));
}

// Only the chosen kind of body is shown; GET sends none, and what was typed is kept.
function showBody() {
  const method = document.querySelector("[name=method]");
  const kind = document.querySelector("[name=body_kind]:checked");
  if (!method || !kind) return;
  const deletes = document.querySelector("[name=sends_body_on_delete]");
  const hasBody = method.value !== "GET" && (method.value !== "DELETE" || (deletes && deletes.checked));
  const toggle = (name, shown) => {
    const row = fieldRow(name);
    if (row) row.classList.toggle("hl-hidden", !shown);
  };
  toggle("sends_body_on_delete", method.value === "DELETE");
  toggle("body_kind", hasBody);
  toggle("pairs", hasBody && kind.value === "pairs");
  toggle("raw_body", hasBody && kind.value === "raw");
}

document.addEventListener("click", (event) => {
  const block = event.target.closest(".hl-rows");
  if (block && event.target.closest(".hl-add-row")) addRow(block);
  if (block && event.target.closest(".hl-remove-row")) removeRow(block, event.target.closest("tr"));
  if (event.target.closest(".hl-close-dialog")) event.target.closest("dialog").close();
});
document.addEventListener("change", showBody);
document.addEventListener("DOMContentLoaded", showBody);
document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.target.closest("dialog");
  if (dialog && !dialog.open) dialog.showModal();
});
