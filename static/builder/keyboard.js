// Keys: undo anywhere, and on a card move and delete.

import { sendOperation } from "./edits.js";
import { flow, isField } from "./page.js";
import { undo } from "./undo.js";

document.addEventListener("keydown", (event) => {
  if (isField(event.target)) return;
  const act = isUndo(event) ? undo : onCard(event);
  if (!act) return;
  event.preventDefault();
  act();
});

const isUndo = (event) => event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;

function onCard(event) {
  const step = event.target.closest?.("#flow .node[data-at]")?.dataset.at;
  if (!step) return null;
  if (event.key === "Delete") return () => sendOperation("delete", step);
  if (event.altKey && event.key === "ArrowUp") return () => move(step, "up");
  if (event.altKey && event.key === "ArrowDown") return () => move(step, "down");
  return null;
}

async function move(step, direction) {
  await sendOperation(direction, step, { step });
  flow.querySelector(".node.opened [data-open]")?.focus();
}
