// Problems beside the fields that have them. One appears when its field is left, not while something is typed; of a step
// that has just been added, only where something was typed, until all is to be checked.

import { saveSoon } from "./autosave.js";
import { panel } from "./page.js";
import { showTab } from "./tabs.js";

const NOTES = "[data-note]";
const typed = new Set(); // the places of fields in which something was typed, and that are not left yet
const left = new Set(); // those that have been left since
let texts = new Map();

export function showNotes(part) {
  texts = new Map([...part.children].map((note) => [note.dataset.for, note.textContent]));
  for (const note of panel.querySelectorAll(NOTES)) showNote(note);
}

// A panel that was drawn anew says all that is to be said.
export function forgetNotes() {
  typed.clear();
  if (!fresh()) left.clear();
}

// Saving what is as it is brings all that is wrong with it.
export function checkAll() {
  const mark = fresh();
  if (!mark) return;
  const { form } = mark;
  mark.remove();
  saveSoon(form, 0);
}

const fresh = () => panel.querySelector("[name=fresh]");

function showNote(note) {
  const text = isSilent(note) ? "" : (texts.get(note.dataset.note) ?? "");
  note.textContent = text;
  for (const field of note.dataset.note ? fieldsOf(note) : []) {
    if (text) field.setAttribute("aria-invalid", "true");
    else field.removeAttribute("aria-invalid");
  }
}

function isSilent(note) {
  if (note.closest("[data-field]")?.querySelector("[data-code]")) return false; // an editor marks problems at once
  const place = note.dataset.note;
  return (fresh() && !left.has(place)) || (typed.has(place) && !note.textContent);
}

function fieldsOf(note) {
  const condition = note.closest(".condition");
  if (condition) return condition.querySelectorAll("[data-path], textarea");
  const field = note.parentElement.querySelector("input:not([type=hidden]), textarea, select");
  return field ? [field] : [];
}

const noteOf = (field) => field.closest("[data-field], .field")?.querySelector(NOTES);

panel.addEventListener("input", ({ target }) => {
  const note = noteOf(target);
  if (note) typed.add(note.dataset.note);
});

panel.addEventListener("focusout", ({ target }) => {
  const note = noteOf(target);
  if (!note || !typed.delete(note.dataset.note)) return;
  left.add(note.dataset.note);
  showNote(note);
});

document.addEventListener("toggle", ({ target }) => target.matches?.("details.publish[open]") && checkAll(), true);

// Focuses the first field of the opened step that something is said about.
export function focusFlaw() {
  showTab("parameters");
  const note = [...panel.querySelectorAll("[data-note]:not([data-note=''])")].find((one) => one.textContent.trim());
  if (!note) return focusMissing();
  for (let around = note.closest("details"); around; around = around.parentElement.closest("details"))
    around.open = true;
  const [field] = fieldsOf(note);
  field?.focus();
  return Boolean(field);
}

// Focuses what the opened step cannot do without; returns whether it lacks anything.
export function focusMissing() {
  showTab("parameters");
  const missing = [...panel.querySelectorAll("[data-required], [data-field] [data-note]:not(:empty)")]
    .map((mark) => mark.closest("[data-field]")?.querySelector("input:not([type=hidden]), textarea, select"))
    .find((field) => field && !field.value);
  missing?.focus();
  return Boolean(missing);
}
