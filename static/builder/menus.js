// Menus: the one of a card, which all cards share, and those that close when something else is clicked.

import { sendOperation } from "./edits.js";
import { flow, openedStep } from "./page.js";

const menu = document.getElementById("step-menu");
const items = () => [...menu.querySelectorAll("button:not([hidden])")];
let asked = null; // the button of the card whose menu is shown

document.addEventListener("click", (event) => {
  for (const other of document.querySelectorAll("details.publish[open]")) {
    if (!other.contains(event.target)) other.open = false;
  }
});

flow.addEventListener("click", (event) => {
  const button = event.target.closest("[data-menu]");
  if (button) openMenu(button);
});

function openMenu(button) {
  asked = button;
  offer(button.closest(".node"));
  menu.showPopover();
  standBeside(button.getBoundingClientRect());
  items()[0].focus();
}

function offer(card) {
  menu.querySelector('[data-op="up"]').hidden = card.dataset.at === "/actions/0";
  menu.querySelector('[data-op="down"]').hidden = isLastOfAll(card);
}

const isLastOfAll = (card) => card.matches(".drawing > .flow-list > .node:nth-last-child(2)");

function standBeside(button) {
  const { width, height } = menu.getBoundingClientRect();
  const below = button.bottom + height <= innerHeight;
  menu.style.left = `${Math.max(0, Math.min(button.right, innerWidth) - width)}px`;
  menu.style.top = `${below ? button.bottom : Math.max(0, button.top - height)}px`;
}

menu.addEventListener("toggle", (event) => {
  asked.setAttribute("aria-expanded", event.newState === "open");
});

menu.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-op]");
  if (!chosen) return;
  menu.hidePopover();
  const { at } = asked.closest(".node").dataset;
  sendOperation(chosen.dataset.op, at, { step: openedStep() });
});

const KEYS = {
  ArrowDown: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  Home: () => 0,
  End: () => -1,
};

menu.addEventListener("keydown", (event) => {
  if (event.key === "Tab") menu.hidePopover();
  if (!(event.key in KEYS)) return;
  const all = items();
  all.at(KEYS[event.key](all.indexOf(document.activeElement)) % all.length).focus();
  event.preventDefault();
});
