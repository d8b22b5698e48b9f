// The tabs of a step: its parameters, the data it can use, its output. A wide panel shows the data beside the others.

import { panel } from "./page.js";

const FIRST = "parameters";
const KEYS = { ArrowRight: 1, ArrowLeft: -1 };

const tabs = () => [...panel.querySelectorAll("[role=tab]")];
const isShown = (tab) => tab.getClientRects().length > 0;

// The choice outlives the step: whoever goes through the outputs of several steps sees one after another.
export function showTab(name) {
  panel.dataset.tab = name;
  for (const tab of tabs()) {
    const isChosen = tab.dataset.tab === name;
    tab.ariaSelected = isChosen;
    tab.tabIndex = isChosen ? 0 : -1;
  }
}

export function offerTabs() {
  const list = panel.querySelector("[role=tablist]");
  if (!list) return;
  list.hidden = false;
  for (const tab of tabs()) document.getElementById(tab.getAttribute("aria-controls")).role = "tabpanel";
  showTab(panel.dataset.tab ?? FIRST);
}

panel.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) showTab(tab.dataset.tab);
});

panel.addEventListener("keydown", (event) => {
  const step = event.target.matches("[role=tab]") && KEYS[event.key];
  if (!step) return;
  event.preventDefault();
  const shown = tabs().filter(isShown);
  const next = shown.at((shown.indexOf(event.target) + step) % shown.length);
  showTab(next.dataset.tab);
  next.focus();
});

// The tab of the data disappears where they stand beside the form.
new ResizeObserver(() => {
  const chosen = panel.querySelector("[role=tab][aria-selected=true]");
  if (chosen && !isShown(chosen)) showTab(FIRST);
}).observe(panel);

offerTabs();
