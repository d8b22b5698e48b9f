// Blocks that are collapsed: remembered in this browser, for each workflow.

import { cards, flow, root } from "./page.js";

const KEY = `folded ${root.dataset.page}`;
const folded = new Set(JSON.parse(localStorage.getItem(KEY) ?? "[]"));
const foldButton = (card) => card.querySelector(":scope > .box > [data-fold]");
const blocks = () => cards().filter(foldButton);

function show() {
  for (const card of blocks()) {
    const isFolded = folded.has(card.dataset.step);
    card.classList.toggle("folded", isFolded);
    foldButton(card).setAttribute("aria-expanded", !isFolded);
  }
}

export function fold(card, isFolded) {
  if (!foldButton(card)) return;
  if (isFolded) folded.add(card.dataset.step);
  else folded.delete(card.dataset.step);
  keep();
}

export function foldAll(isFolded) {
  folded.clear();
  if (isFolded) for (const card of blocks()) folded.add(card.dataset.step);
  keep();
}

function keep() {
  localStorage.setItem(KEY, JSON.stringify([...folded]));
  show();
}

flow.addEventListener("click", (event) => {
  const card = event.target.closest("[data-fold]")?.closest(".node");
  if (card) fold(card, !card.classList.contains("folded"));
});
for (const button of document.querySelectorAll("[data-fold-all]")) {
  button.addEventListener("click", () => foldAll(button.dataset.foldAll === "yes"));
}
flow.addEventListener("flowdrawn", show);
show();
