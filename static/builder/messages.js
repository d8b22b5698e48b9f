// What the page says about an edit: that it was refused, above the flow; that it is done, in a corner.

import { gettext } from "../texts.js";
import { undo } from "./undo.js";

const TOAST_MS = 6000;
const refusal = document.getElementById("refusal");
const toasts = document.getElementById("messages");

export function refuse(...content) {
  refusal.replaceChildren(...content);
  refusal.hidden = false;
  delete refusal.dataset.unanswered;
}

// What was asked for did not come; the text stands until the server answers again.
export function tellUnanswered(text = gettext("The server does not answer.")) {
  refuse(text);
  refusal.dataset.unanswered = "";
}

export function clearUnanswered() {
  if ("unanswered" in refusal.dataset) clearRefusal();
}

export function refuseInView(...content) {
  refuse(...content);
  refusal.scrollIntoView({ block: "nearest" });
}

export function clearRefusal() {
  refusal.hidden = true;
  delete refusal.dataset.unanswered;
}

export function toast(text, { offersUndo = false } = {}) {
  const shown = document.createElement("p");
  shown.className = "toast";
  shown.dataset.kind = "done";
  shown.append(text);
  if (offersUndo) shown.append(" ", undoButton());
  toasts.replaceChildren(shown);
  setTimeout(() => shown.remove(), TOAST_MS);
}

function undoButton() {
  const button = document.createElement("button");
  button.className = "small-button";
  button.textContent = gettext("Undo");
  button.addEventListener("click", undo);
  return button;
}
