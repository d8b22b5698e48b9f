// Values that are clicked go into the field that was used last.

import { onClick, panel } from "./page.js";
import { showTab } from "./tabs.js";

let lastField = null;

panel.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-expression], [data-path]")) lastField = event.target;
});

onClick("[data-pick]", (button) => {
  const field = lastField?.isConnected ? lastField : (emptyField() ?? panel.querySelector("[data-expression]"));
  if (!field) return;
  if (panel.dataset.tab === "data") showTab("parameters");
  field.focus();
  insert(field, button.dataset.pick);
  field.dispatchEvent(new Event("input", { bubbles: true }));
});

function emptyField() {
  const fields = [...panel.querySelectorAll("[data-path], [data-field] [data-expression]")];
  return fields.find((field) => !field.value);
}

function insert(field, path) {
  if (field.matches("[data-path]")) {
    field.value = path;
    return;
  }
  const caret = field.selectionStart ?? field.value.length;
  const before = field.value.slice(0, caret);
  const isInExpression = before.lastIndexOf("{{") > before.lastIndexOf("}}");
  field.setRangeText(isInExpression ? path : `{{ ${path} }}`, caret, field.selectionEnd ?? caret, "end");
}
