// The map's moving parts: zoom, print, dragging a step to a plus. Without this file the same is done on pages.

const map = document.querySelector("[data-map]");
const LEAST = 0.3;
const MOST = 1.6;

function setZoom(svg, factor) {
  const { width, height } = svg.viewBox.baseVal;
  const zoom = Math.min(MOST, Math.max(LEAST, factor));
  svg.setAttribute("width", Math.round(width * zoom));
  svg.setAttribute("height", Math.round(height * zoom));
  svg.dataset.zoom = zoom;
}

function startZoom(svg) {
  const current = () => Number(svg.dataset.zoom || 1);
  const fit = () => setZoom(svg, Math.min(1, (map.clientWidth - 40) / svg.viewBox.baseVal.width));
  const steps = { in: () => setZoom(svg, current() * 1.2), out: () => setZoom(svg, current() / 1.2), fit };
  document.querySelectorAll("[data-zoom]").forEach((button) => {
    if (button.tagName === "BUTTON") button.addEventListener("click", steps[button.dataset.zoom]);
  });
  document.querySelector("[data-print]").addEventListener("click", () => window.print());
  document.querySelector("[data-map-tools]").hidden = false;
}

// A step dropped on a plus moves there: the same form as on its menu page.
function startDragging(form) {
  let dragged = null;
  map.querySelectorAll("[data-step]").forEach((step) => {
    step.addEventListener("dragstart", (event) => {
      dragged = step;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", step.dataset.step);
    });
    step.addEventListener("dragend", () => (dragged = null));
  });
  map.querySelectorAll("[data-drop]").forEach((plus) => {
    const mark = (isOver) => plus.classList.toggle("hl-over", isOver);
    plus.addEventListener("dragover", (event) => {
      if (!dragged) return;
      event.preventDefault();
      mark(true);
    });
    plus.addEventListener("dragleave", () => mark(false));
    plus.addEventListener("drop", (event) => {
      if (!dragged) return;
      event.preventDefault();
      form.action = dragged.dataset.menu;
      form.elements.to.value = plus.dataset.drop;
      form.submit();
    });
  });
}

if (map) {
  startZoom(map.querySelector("svg"));
  const form = document.getElementById("hl-move-form");
  if (form) startDragging(form);
}
