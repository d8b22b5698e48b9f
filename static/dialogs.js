// Dialogs that scripts draw: a title, a button that closes them, and what is in them.

import { gettext } from "./texts.js";

let numbers = 0;

export function openDialog(title, content) {
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.append(drawHead(dialog, title), ...content);
  dialog.addEventListener("close", () => dialog.remove());
  closeByBackdrop(dialog);
  document.body.append(dialog);
  dialog.showModal();
}

// A click beside an open dialog closes it.
export function closeByBackdrop(dialog) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}

function drawHead(dialog, title) {
  const head = document.createElement("div");
  head.className = "head small";
  const heading = document.createElement("h2");
  heading.id = `dialog-${++numbers}`;
  heading.textContent = title;
  dialog.setAttribute("aria-labelledby", heading.id);
  head.append(heading, closeButton(dialog));
  return head;
}

function closeButton(dialog) {
  const button = document.createElement("button");
  button.className = "quiet small-button";
  button.textContent = gettext("Close");
  button.addEventListener("click", () => dialog.close());
  return button;
}
