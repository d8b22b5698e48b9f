// Problems beside the fields that have them.

import { panel } from "./page.js";
import { showTab } from "./tabs.js";

export function showNotes(part) {
  const texts = new Map([...part.children].map((note) => [note.dataset.for, note.textContent]));
  for (const note of panel.querySelectorAll("[data-note]")) showNote(note, texts.get(note.dataset.note) ?? "");
}

function showNote(note, text) {
  note.textContent = text;
  const field = note.dataset.note && fieldOf(note);
  if (!field) return;
  if (text) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
}

function fieldOf(note) {
  const around = note.previousElementSibling?.closest(".condition") ?? note.parentElement;
  return around.querySelector("input, textarea, select");
}

// Focuses what the opened step cannot do without; returns whether it lacks anything.
export function focusMissing() {
  showTab("parameters");
  const note = panel.querySelector("[data-field] [data-note]:not(:empty)");
  const field = note && fieldOf(note);
  field?.focus();
  return Boolean(field);
}
