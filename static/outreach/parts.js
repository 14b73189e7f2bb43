// Step pages: shows only the fields that the choices above ask for, and adds actions. Without this file all are shown.

function chosen(name) {
  const radio = document.querySelector(`[name="${CSS.escape(name)}"]:checked`);
  const other = document.querySelector(`select[name="${CSS.escape(name)}"]`);
  return radio ? radio.value : other ? other.value : null;
}

// data-when is "name=this|that".
function refresh() {
  document.querySelectorAll("[data-when]").forEach((part) => {
    const [name, values] = part.dataset.when.split("=");
    const value = chosen(name);
    part.classList.toggle("hl-hidden", value !== null && !values.split("|").includes(value));
  });
}

function renumber(element, from, to) {
  const all = [element, ...element.querySelectorAll("*")];
  for (const each of all) {
    for (const attribute of ["name", "data-when", "data-rows", "id", "for"]) {
      const value = each.getAttribute(attribute);
      if (value && value.startsWith(from)) each.setAttribute(attribute, to + value.slice(from.length));
    }
  }
}

function addTrigger(block) {
  const triggers = block.querySelectorAll(".hl-trigger");
  const last = triggers[triggers.length - 1];
  const twin = last.cloneNode(true);
  renumber(twin, `${block.dataset.triggers}-${triggers.length - 1}-`, `${block.dataset.triggers}-${triggers.length}-`);
  twin.querySelectorAll("input").forEach((input) => (input.value = ""));
  twin.querySelectorAll("select").forEach((select) => (select.selectedIndex = 0));
  last.after(twin);
  refresh();
  twin.querySelector("select").focus();
}

document.addEventListener("change", refresh);
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-add-trigger]");
  if (button) addTrigger(button.closest("[data-triggers]"));
});
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("[data-add-trigger]").forEach((button) => (button.hidden = false));
  refresh();
});
