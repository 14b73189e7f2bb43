// The filter builder: shows its inputs instead of the JSON, and puts the focus where the keyboard expects it.
// The server draws everything (htmx); without this file the JSON can be edited.

const turns = new WeakMap(); // how many times each builder was asked for anew
const FOCUSABLE = "select[name$=']filter'], .hl-condition input";

function takeOver(filters) {
  if (!filters.querySelector("div[data-filters-inputs]")) return; // can't be built: JSON only
  filters.querySelectorAll("[data-filters-inputs]").forEach((each) => (each.hidden = false));
  filters.querySelector("[data-filters-json]").open = false;
  filters.querySelector("[data-filters-source]").value = "inputs";
  filters.querySelector(".hl-estimate").hidden = false;
  estimateAgain(filters);
}

function estimateAgain(filters) {
  if (window.htmx) window.htmx.trigger(filters.querySelector(".hl-estimate"), "hl-filters-shown");
}

// What was added has the focus; after a removal the button that adds.
function moveFocus(filters, action, before) {
  if (action === "remove") filters.querySelector("[data-focus]").focus();
  if (!action || !action.startsWith("add-")) return;
  const added = [...filters.querySelectorAll(FOCUSABLE)].find((each) => !before.includes(each.name));
  if (added) added.focus();
}

function typed(filters) {
  return new Map([...filters.querySelectorAll("input:not([type=checkbox]), textarea")].map((each) => [each.name, each.value]));
}

// What was typed while the answer was under way is kept.
function keepTyping(filters, sent, last) {
  filters.querySelectorAll("input:not([type=checkbox]), textarea").forEach((each) => {
    if (last.has(each.name) && last.get(each.name) !== sent.get(each.name)) each.value = last.get(each.name);
  });
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const filters = event.target.closest(".hl-filters");
  if (!filters) return;
  const config = event.detail.requestConfig;
  if (event.detail.target.matches(".hl-builder")) turns.set(filters, (config.hlTurn = (turns.get(filters) || 0) + 1));
  config.hlNames = [...filters.querySelectorAll(FOCUSABLE)].map((each) => each.name);
  config.hlSent = typed(filters);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, requestConfig: config } = event.detail;
  const filters = target.closest(".hl-filters");
  if (!filters) return;
  if (target.matches("textarea") && target.value !== config.hlSent.get(target.name)) event.detail.shouldSwap = false;
  if (!target.matches(".hl-builder")) return;
  config.hlTyped = typed(filters);
  if (config.hlTurn !== turns.get(filters)) event.detail.shouldSwap = false; // a later request knows more
});

document.addEventListener("htmx:afterSwap", (event) => {
  const { requestConfig, target } = event.detail;
  if (!target.classList.contains("hl-builder")) return;
  const name = requestConfig.parameters.builder;
  const filters = [...document.querySelectorAll(".hl-filters")].find((each) => each.dataset.name === name);
  if (!filters) return;
  if (!requestConfig.parameters.action) keepTyping(filters, requestConfig.hlSent, requestConfig.hlTyped);
  moveFocus(filters, requestConfig.parameters.action, requestConfig.hlNames || []);
  estimateAgain(filters);
});

// Opened, the JSON says what the inputs say now.
document.addEventListener(
  "toggle",
  (event) => {
    const json = event.target;
    if (!json.matches("[data-filters-json]") || !json.open || !window.htmx) return;
    const filters = json.closest(".hl-filters");
    if (filters.querySelector("[data-filters-source]").value !== "inputs") return;
    const area = json.querySelector("textarea");
    const values = { builder: filters.dataset.name, action: "show-json" };
    window.htmx.ajax("POST", filters.dataset.builderUrl, { source: area, target: area, swap: "outerHTML", values });
  },
  true,
);

// The page, and whatever htmx loads into it later.
document.addEventListener("htmx:load", (event) => {
  event.detail.elt.querySelectorAll(".hl-filters").forEach((filters) => {
    if (filters.querySelector("[data-filters-source]").value === "json") takeOver(filters);
  });
});
