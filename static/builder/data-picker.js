// Values that are clicked go into the field that was used last; those that are dragged, into the one they are dropped on.

import { expressionAround } from "./expression-syntax.js";
import { onClick, panel } from "./page.js";
import { showTab } from "./tabs.js";

const FIELDS = "[data-expression], [data-path]";

let lastField = null;
let dragged = null; // the path of the value that is on its way

panel.addEventListener("focusin", (event) => {
  if (event.target.matches(FIELDS)) lastField = event.target;
});

onClick("[data-pick]", (button) => {
  const field = lastField?.isConnected ? lastField : (emptyField() ?? panel.querySelector("[data-expression]"));
  if (!field) return;
  if (panel.dataset.tab === "data") showTab("parameters");
  put(button.dataset.pick, field);
});

panel.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-pick]")?.dataset.pick ?? null;
  if (dragged) event.dataTransfer.setData("text/plain", `{{ ${dragged} }}`);
});

panel.addEventListener("dragover", (event) => {
  if (dragged && event.target.matches(FIELDS)) event.preventDefault();
});

panel.addEventListener("drop", (event) => {
  const field = event.target;
  if (!dragged || !field.matches(FIELDS)) return;
  event.preventDefault();
  const under = document.caretPositionFromPoint?.(event.clientX, event.clientY);
  const caret = under?.offsetNode === field ? under.offset : field.value.length;
  field.setSelectionRange(caret, caret);
  put(dragged, field);
});

panel.addEventListener("dragend", () => {
  dragged = null;
});

function emptyField() {
  const fields = [...panel.querySelectorAll("[data-path], [data-field] [data-expression]")];
  return fields.find((field) => !field.value);
}

function put(path, field) {
  field.focus();
  insert(field, path);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function insert(field, path) {
  if (field.matches("[data-path]")) {
    field.value = path;
    return;
  }
  const caret = field.selectionStart ?? field.value.length;
  const text = expressionAround(field.value, caret) ? path : `{{ ${path} }}`;
  field.setRangeText(text, caret, field.selectionEnd ?? caret, "end");
}
