// Menus: the one of a card, which all cards share, and those that close when something else is clicked.

import { flow } from "./page.js";
import { selectedCards, stepsWith } from "./selection.js";
import { sharedMenu } from "./shared-menu.js";
import { act } from "./step-actions.js";

const selection = document.getElementById("selection");
const openMenu = sharedMenu(document.getElementById("step-menu"), (op, button) =>
  act(op, stepsWith(button.closest(".node"))),
);

document.addEventListener("click", (event) => {
  for (const other of document.querySelectorAll("details.publish[open]")) {
    if (!other.contains(event.target)) other.open = false;
  }
});

flow.addEventListener("click", (event) => {
  const button = event.target.closest("[data-menu]");
  if (button) openMenu(button, offeredFor(button.closest(".node")));
});

function offeredFor(card) {
  const isAlone = stepsWith(card).length === 1;
  return {
    up: card.dataset.at !== "/actions/0",
    down: !isLastOfAll(card),
    in: Boolean(cardAbove(card)?.querySelector(".flow-list")),
    out: !card.parentElement.matches(".drawing > .flow-list"),
    note: isAlone,
    "add-branch": isAlone && hasBranches(card),
    "collapse-all": hasBlocks(),
    "expand-all": hasBlocks(),
  };
}

const hasBlocks = () => flow.querySelector("[data-fold]") !== null;
const hasBranches = (card) => card.querySelector(":scope > .flow-lanes > .flow-lane > [data-branch]") !== null;
const cardAbove = (card) => card.previousElementSibling?.previousElementSibling;
const isLastOfAll = (card) => card.matches(".drawing > .flow-list > .node:nth-last-child(2)");

selection.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-op]");
  if (chosen)
    act(
      chosen.dataset.op,
      selectedCards().map((card) => card.dataset.at),
    );
});
