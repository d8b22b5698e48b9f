// Replaces what is inside an element, so that whoever types or uses the keyboard notices nothing.

import { cardLink, openedStep } from "./page.js";

export function replaceContent(element, part) {
  for (const fallback of part.querySelectorAll("noscript")) fallback.remove(); // parsed apart, they count as content
  const before = focusedIn(element);
  const opened = openDetails(element);
  element.replaceChildren(...part.childNodes);
  reopen(element, opened);
  if (before) restore(before);
}

const shownStep = (element) => element.querySelector("[name=step]")?.value;

function openDetails(element) {
  const ids = [...element.querySelectorAll("details[id][open]")].map((record) => record.id);
  return { step: shownStep(element), ids };
}

// Another step that is shown instead has groups and records of its own.
function reopen(element, { step, ids }) {
  if (shownStep(element) !== step) return;
  for (const id of ids) document.getElementById(id)?.setAttribute("open", "");
}

function focusedIn(element) {
  const active = document.activeElement;
  if (!element.contains(active)) return null;
  return { id: active.id, step: active.dataset.open, caret: active.selectionStart, value: active.value };
}

function restore({ id, step, caret, value }) {
  const again = (id && elementFor(id)) || cardLink(step ?? openedStep());
  if (again && id === "workflow-name") again.value = value; // it saves while it is typed
  again?.focus({ preventScroll: true });
  if (caret != null) again?.setSelectionRange?.(caret, caret);
}

// The button that removes a row is gone with it: what adds one comes next.
const elementFor = (id) => document.getElementById(id) ?? document.getElementById(id.replace(/-\d+-remove$/, "-add"));
