// Menus: the one of a card, which all cards share, and those that close when something else is clicked.

import { flow } from "./page.js";
import { selectedCards, stepsWith } from "./selection.js";
import { act } from "./step-actions.js";

const menu = document.getElementById("step-menu");
const selection = document.getElementById("selection");
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
  const offered = {
    up: card.dataset.at !== "/actions/0",
    down: !isLastOfAll(card),
    in: Boolean(cardAbove(card)?.querySelector(".flow-list")),
    out: !card.parentElement.matches(".drawing > .flow-list"),
    note: stepsWith(card).length === 1,
    "collapse-all": hasBlocks(),
    "expand-all": hasBlocks(),
  };
  for (const [op, isOffered] of Object.entries(offered)) menu.querySelector(`[data-op="${op}"]`).hidden = !isOffered;
}

const hasBlocks = () => flow.querySelector("[data-fold]") !== null;
const cardAbove = (card) => card.previousElementSibling?.previousElementSibling;
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
  act(chosen.dataset.op, stepsWith(asked.closest(".node")));
});

selection.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-op]");
  if (chosen)
    act(
      chosen.dataset.op,
      selectedCards().map((card) => card.dataset.at),
    );
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
