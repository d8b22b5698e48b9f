// Lists: all rows are selected at once, the number of those that are is told, menus close when something else is
// clicked or with Escape.

import { ngettext } from "./texts.js";

const bar = document.querySelector("#selection");
const boxes = () => [...document.querySelectorAll('.pick input[type="checkbox"]')];

function show() {
  const chosen = boxes().filter((box) => box.checked).length;
  const all = bar.querySelector("[data-select-all] input");
  all.checked = chosen === boxes().length;
  all.indeterminate = chosen > 0 && !all.checked;
  bar.querySelector("[data-selected]").textContent = ngettext("%(count)s selected", "%(count)s selected", chosen);
}

function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.row-menu[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}

if (bar) {
  const all = bar.querySelector("[data-select-all]");
  all.hidden = false;
  all.addEventListener("change", (event) => {
    for (const box of boxes()) box.checked = event.target.checked;
    show();
  });
  document.addEventListener("change", (event) => event.target.closest(".pick") && show());
  if (boxes().some((box) => box.checked)) show();
}

// What somebody works with is not replaced under their hands.
document.addEventListener("htmx:before:request", (event) => {
  if (document.querySelector(".pick :checked, details.row-menu[open]")) event.preventDefault();
});
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.row-menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
