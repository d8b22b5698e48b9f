// Saves forms while they are filled in.

import { allSent, sendForm } from "./edits.js";
import { root } from "./page.js";

const TYPING_MS = 500;
let timer = null;
let unsaved = null; // the form whose changes are not sent yet

// Returns when everything is saved.
export function saveNow() {
  const form = unsaved;
  forgetUnsaved();
  if (form?.isConnected) sendForm(form);
  return allSent();
}

export function forgetUnsaved() {
  clearTimeout(timer);
  unsaved = null;
}

export function saveSoon(form, delay) {
  if (unsaved !== form) saveNow();
  unsaved = form;
  clearTimeout(timer);
  timer = setTimeout(saveNow, delay);
}

function changed(event, delay) {
  const form = event.target.closest("form[data-autosave]");
  if (form) saveSoon(form, delay);
}

root.addEventListener("input", (event) => changed(event, TYPING_MS));
root.addEventListener("change", (event) => changed(event, 0));
addEventListener("visibilitychange", () => document.hidden && saveNow());
addEventListener("pagehide", saveNow);
