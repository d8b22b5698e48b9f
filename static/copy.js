// Buttons that copy the text beside them, or the one that they name; also those that come into the page later. A page
// without TLS has no clipboard: there the text is selected and copied as by hand.

import { gettext } from "./texts.js";

const DONE_MS = 2000;

async function copy(text, element) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copySelected(element ?? addText(text));
  }
}

function copySelected(element) {
  getSelection().selectAllChildren(element);
  document.execCommand("copy");
  if (element.dataset.copied) element.remove();
}

function addText(text) {
  const added = document.createElement("pre");
  added.dataset.copied = "true";
  added.textContent = text;
  document.body.append(added);
  return added;
}

async function copyBeside(button) {
  const label = button.querySelector("span");
  const text = button.parentElement.querySelector("pre");
  await copy(text.textContent, text);
  label.textContent = gettext("Copied");
  setTimeout(() => (label.textContent = gettext("Copy")), DONE_MS);
}

async function copyNamed(button) {
  await copy(button.dataset.copyText);
  button.dataset.done = "true";
  setTimeout(() => delete button.dataset.done, DONE_MS);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-text]");
  if (button) (button.dataset.copyText === undefined ? copyBeside : copyNamed)(button);
});
