// Cards are dragged to the slots between the others.

import { sendOperation } from "./edits.js";
import { flow } from "./page.js";

let dragged = null;

flow.addEventListener("dragstart", (event) => {
  dragged = event.target.closest(".node[data-at]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.at);
  flow.classList.add("dragging");
});

flow.addEventListener("dragover", (event) => {
  const slot = slotNear(event);
  markTarget(slot);
  if (slot) event.preventDefault();
});

flow.addEventListener("drop", (event) => {
  const slot = slotNear(event);
  if (!slot) return;
  event.preventDefault();
  sendOperation("move", dragged.dataset.at, { into: slot.dataset.into, position: slot.dataset.position });
});

flow.addEventListener("dragend", () => {
  flow.classList.remove("dragging");
  markTarget(null);
  dragged = null;
});

function markTarget(slot) {
  for (const other of flow.querySelectorAll(".slot.target")) other.classList.remove("target");
  slot?.classList.add("target");
}

// The slot under the pointer, or the nearer one of the card under it; never one inside the dragged card.
function slotNear(event) {
  if (!dragged) return null;
  const slot = event.target.closest(".slot") ?? slotBeside(event.target.closest(".node[data-at]"), event.clientY);
  return slot && !dragged.contains(slot) ? slot : null;
}

function slotBeside(card, y) {
  if (!card) return null;
  const box = card.querySelector(".box").getBoundingClientRect();
  return y < box.top + box.height / 2 ? card.previousElementSibling : card.nextElementSibling;
}
