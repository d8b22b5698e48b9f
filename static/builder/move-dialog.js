// The dialog that moves steps anywhere, chosen from a list of places: what dragging does, by keyboard.

import { openDialog } from "../dialogs.js";
import { gettext } from "../texts.js";
import { sendOperation } from "./edits.js";
import { cardOf, flow } from "./page.js";

export function askWhere(steps) {
  const search = document.createElement("input");
  const list = document.createElement("ul");
  Object.assign(search, { type: "search", placeholder: gettext("Find a place"), ariaLabel: gettext("Find a place") });
  list.className = "places";
  list.append(...places(steps).map((slot) => drawPlace(slot, steps)));
  search.addEventListener("input", () => filter(list, search.value));
  openDialog(gettext("Move to"), [search, list]);
  search.focus();
}

// Every slot, but those inside the steps themselves.
function places(steps) {
  const moved = steps.map((step) => flow.querySelector(`.node[data-at="${CSS.escape(step)}"]`));
  return [...flow.querySelectorAll(".slot")].filter((slot) => !moved.some((card) => card.contains(slot)));
}

function drawPlace(slot, steps) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dir = "auto";
  button.textContent = nameOf(slot);
  button.addEventListener("click", () => {
    button.closest("dialog").close();
    sendOperation("move", steps, { into: slot.dataset.into, position: slot.dataset.position });
  });
  item.append(button);
  return item;
}

const titleOf = (card) => card.querySelector(":scope > .box strong").textContent;

function nameOf(slot) {
  const before = slot.previousElementSibling;
  const block = cardOf(slot.parentElement.parentElement);
  const place = before ? gettext("After “%(step)s”", { step: titleOf(before) }) : gettext("At the start");
  return block ? `${titleOf(block)} › ${slot.parentElement.ariaLabel} › ${place}` : place;
}

function filter(list, text) {
  const words = text.toLowerCase().split(/\s+/);
  for (const item of list.children) {
    const name = item.textContent.toLowerCase();
    item.hidden = !words.every((word) => name.includes(word));
  }
}
