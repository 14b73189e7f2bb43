// The filter builder: shows its inputs instead of the JSON, and keeps focus where the keyboard expects it.
// The server draws everything (htmx); without this file the JSON can be edited.

function takeOver(filters) {
  const inputs = filters.querySelectorAll("[data-filters-inputs]");
  if (!filters.querySelector("div[data-filters-inputs]")) return; // can't be built: JSON only
  inputs.forEach((each) => (each.hidden = false));
  filters.querySelector("[data-filters-json]").open = false;
  filters.querySelector("[data-filters-source]").value = "inputs";
  const estimate = filters.querySelector(".hl-estimate");
  estimate.hidden = false;
  if (window.htmx) window.htmx.trigger(estimate, "hl-filters-shown");
}

// After "Add filter" the new filter has the focus; after "Remove" the group's button to add one.
function moveFocus(filters, detail) {
  const vals = detail.requestConfig.parameters;
  if (!vals.action || !vals.action.startsWith("add-")) {
    if (vals.action === "remove") filters.querySelector("[data-focus]").focus();
    return;
  }
  const lists = filters.querySelectorAll("select[name$=']filter'], .hl-condition input");
  const before = detail.requestConfig.hlCount || 0;
  if (lists.length <= before) return;
  const known = detail.requestConfig.hlNames || [];
  const added = [...lists].find((each) => !known.includes(each.name));
  if (added) added.focus();
}

document.addEventListener("htmx:beforeRequest", (event) => {
  const filters = event.target.closest(".hl-filters");
  if (!filters) return;
  const lists = filters.querySelectorAll("select[name$=']filter'], .hl-condition input");
  event.detail.requestConfig.hlCount = lists.length;
  event.detail.requestConfig.hlNames = [...lists].map((each) => each.name);
});

document.addEventListener("htmx:afterSwap", (event) => {
  const filters = event.detail.target.closest?.(".hl-filters") || document.querySelector(`.hl-filters[data-name="${CSS.escape(event.detail.requestConfig.parameters.builder || "")}"]`);
  if (!filters || event.detail.target.classList.contains("hl-estimate") || event.detail.target.matches("textarea")) return;
  takeOver(filters);
  moveFocus(filters, event.detail);
});

document.addEventListener("toggle", (event) => {
  // opened: show the JSON of what the inputs say now
  const json = event.target;
  if (!json.matches?.("[data-filters-json]") || !json.open || !window.htmx) return;
  const filters = json.closest(".hl-filters");
  if (filters.querySelector("[data-filters-source]").value !== "inputs") return;
  const area = json.querySelector("textarea");
  window.htmx.ajax("POST", filters.dataset.builderUrl, { source: area, target: area, swap: "outerHTML", values: { builder: filters.dataset.name, action: "show-json" } });
}, true);

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".hl-filters").forEach(takeOver));
