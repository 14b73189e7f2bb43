// Around the editor: the variable picker, curl commands, copying, languages as tabs.
(() => {
const ADD_LANGUAGE = "#overrides-group a.add-row";
const RTL = /^(ar|arc|azb|ckb|dv|fa|he|ks|ku|nqo|ps|sd|syr|ug|ur|yi)(-|$)/i;

// --- dialogs

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-open]");
  if (opener) openDialog(document.getElementById(opener.dataset.open));
  const copier = event.target.closest("[data-copy]");
  if (copier) copy(copier);
  if (event.target.closest("[data-another]")) document.getElementById("hl-as-random").value = "";
  const name = event.target.closest("[data-insert]");
  if (name) {
    name.closest("dialog").close();
    window.hlEditors.insert(name.dataset.insert);
  }
});

document.addEventListener("keydown", (event) => {
  const names = document.getElementById("hl-names-dialog");
  if (names && event.altKey && event.code === "KeyV") {
    event.preventDefault();
    openDialog(names);
  }
});

function openDialog(dialog) {
  dialog.showModal();
  if (dialog.id === "hl-names-dialog") showNames(dialog);
}

async function copy(button) {
  const text = document.getElementById(button.dataset.copy).textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text });
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  const before = button.textContent;
  button.textContent = button.dataset.done;
  setTimeout(() => (button.textContent = before), 1500);
}

// --- the variable picker

async function showNames(dialog) {
  const of = dialog.querySelector("[data-names-of]").value;
  const found = await window.hlEditors.names(of);
  const person = dialog.querySelector("[data-names-person]");
  person.textContent = found.problem || (found.person ? `${person.dataset.for} ${found.person}` : "");
  const list = dialog.querySelector("[data-names-list]");
  list.replaceChildren();
  const groups = Map.groupBy ? Map.groupBy(found.inserts, (name) => name.group) : grouped(found.inserts);
  groups.forEach((inserts, title) => {
    const heading = document.createElement("h3");
    heading.textContent = title;
    list.append(heading, ...inserts.map(nameButton));
  });
  filterNames(dialog);
  dialog.querySelector("[data-names-search]").focus();
}

function grouped(inserts) {
  const groups = new Map();
  inserts.forEach((name) => groups.set(name.group, [...(groups.get(name.group) || []), name]));
  return groups;
}

function nameButton(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "hl-name";
  button.dataset.insert = name.insert;
  const [label, code, sample] = ["strong", "code", "span"].map((tag) => document.createElement(tag));
  label.textContent = name.label;
  code.textContent = name.insert;
  sample.textContent = name.sample === null ? "" : name.sample || "–";
  [label, sample].forEach((each) => (each.dir = "auto"));
  button.append(label, code, sample);
  return button;
}

function filterNames(dialog) {
  const asked = dialog.querySelector("[data-names-search]").value.toLowerCase();
  dialog.querySelectorAll(".hl-name").forEach((each) => (each.hidden = !each.textContent.toLowerCase().includes(asked)));
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-names-search]")) filterNames(event.target.closest("dialog"));
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-names-of]")) showNames(event.target.closest("dialog"));
});

// --- a curl command fills the form

function set(field, value) {
  if (!field) return;
  if (field.type === "checkbox") field.checked = Boolean(value);
  else field.value = value;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

function fillRows(name, rows) {
  const block = document.querySelector(`.hl-rows[data-rows="${name}"]`);
  while (block.querySelectorAll("tbody tr").length < rows.length + 1) window.hlRows.add(block);
  block.querySelectorAll("tbody tr").forEach((row, number) => {
    row.querySelectorAll("[name]").forEach((field) => {
      const column = field.name.split("-").pop();
      const fallback = field.type === "checkbox" ? false : column === "type" ? "text" : "";
      set(field, rows[number]?.[column] ?? fallback);
    });
  });
}

async function fillFromCurl(dialog) {
  const body = new FormData();
  body.set("curl", dialog.querySelector("[data-curl-text]").value);
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(dialog.dataset.curlUrl, { method: "POST", body, headers: { "X-CSRFToken": token } });
  const { fields, problem } = await answer.json();
  const complaint = dialog.querySelector("[data-curl-problem]");
  complaint.hidden = !problem;
  complaint.textContent = problem || "";
  if (problem) return;
  for (const name of ["url", "method", "sends_body_on_delete", "raw_body"]) set(document.querySelector(`[name="${name}"]`), fields[name]);
  const kind = document.querySelector(`[name=body_kind][value="${fields.body_kind}"]`);
  kind.checked = true;
  kind.dispatchEvent(new Event("change", { bubbles: true }));
  fillRows("pairs", fields.pairs);
  fillRows("headers", fields.headers);
  dialog.close();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-curl-fill]")) fillFromCurl(event.target.closest("dialog"));
});

// --- languages as tabs: the default's URL and body, or one language's

function languageForms() {
  const rows = document.querySelectorAll("[name^='overrides-'][name$='-language']");
  return [...rows]
    .filter((field) => !field.name.includes("__prefix__"))
    .map((field) => ({ field, box: field.closest(".hl-language, .form-group") }))
    .filter(({ box }) => box);
}

function direct({ field, box }) {
  const dir = RTL.test(field.value) ? "rtl" : field.value ? "ltr" : "auto";
  box.querySelectorAll("textarea, input[name*='-key']").forEach((each) => (each.dir = dir));
  box.querySelectorAll(".hl-editor").forEach((each) => window.ace.edit(each).setOption("rtlText", dir === "rtl"));
}

let shownLanguage = 0; // 0: the default

function showLanguages() {
  const list = document.querySelector("[data-languages]");
  if (!list) return;
  const forms = languageForms();
  forms.forEach(direct);
  shownLanguage = Math.min(shownLanguage, forms.length);
  const names = [list.dataset.default, ...forms.map(({ field }) => field.value || list.dataset.new)];
  list.replaceChildren(...names.map((name, number) => tab(name, number)));
  document.querySelector("[data-add-language]").hidden = !document.querySelector(ADD_LANGUAGE);
  forms.forEach(({ box }, number) => {
    box.classList.toggle("hl-hidden", number + 1 !== shownLanguage);
    if (box.tagName === "DETAILS" && number + 1 === shownLanguage) box.open = true;
  });
  document.querySelectorAll(".hl-compose-form").forEach((form) => form.classList.toggle("hl-in-language", shownLanguage > 0));
  document.getElementById("overrides-group")?.classList.toggle("hl-hidden", shownLanguage === 0);
  window.dispatchEvent(new Event("resize")); // editors measure themselves anew
}

function tab(name, number) {
  const button = document.createElement("button");
  Object.assign(button, { type: "button", textContent: name, dir: "auto" });
  button.setAttribute("role", "tab");
  button.setAttribute("aria-selected", String(number === shownLanguage));
  button.tabIndex = number === shownLanguage ? 0 : -1;
  button.dataset.language = number;
  return button;
}

document.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-language]");
  if (chosen) {
    shownLanguage = Number(chosen.dataset.language);
    showLanguages();
    document.querySelector(`[data-language="${shownLanguage}"]`).focus();
  }
  if (event.target.closest("[data-add-language]")) document.querySelector(ADD_LANGUAGE).click();
});
document.addEventListener("keydown", (event) => {
  if (!event.target.matches?.("[data-language]") || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const all = [...document.querySelectorAll("[data-language]")];
  const step = event.key === "ArrowRight" ? 1 : -1;
  all[(all.indexOf(event.target) + step + all.length) % all.length].click();
});
document.addEventListener("change", (event) => {
  if (/^overrides-\d+-language$/.test(event.target.name || "")) showLanguages();
});
document.addEventListener("formset:added", (event) => {
  if (event.detail?.formsetName !== "overrides") return;
  shownLanguage = languageForms().length;
  showLanguages();
});

document.addEventListener("DOMContentLoaded", () => {
  const tools = document.querySelector("[data-tools]");
  document.querySelectorAll("[data-another]").forEach((each) => (each.hidden = false));
  if (!tools) return;
  tools.hidden = false;
  const plain = tools.querySelector("[data-plain]");
  plain.checked = window.hlEditors.isPlain();
  plain.addEventListener("change", () => {
    localStorage.setItem(window.hlEditors.PLAIN, plain.checked ? "1" : "0");
    const fields = document.querySelectorAll("textarea[data-liquid]");
    if (plain.checked) fields.forEach(window.hlEditors.unmount);
    else window.hlEditors.mountAll(document);
  });
  const wrong = languageForms().findIndex(({ box }) => box.querySelector(".errorlist, .hl-problem"));
  shownLanguage = wrong + 1;
  showLanguages();
});
window.addEventListener("load", showLanguages); // the link that adds a language is there only now
})();
