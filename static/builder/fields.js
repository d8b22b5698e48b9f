// Fields that change while they are filled in: a map gets another row, a choice can become an expression.

import { fieldButton, onClick, panel, root } from "./page.js";

const CHOICES = "[data-preview] [data-field]:not([data-field$='/connection']) > select:not([data-literal])";
const KEPT_ATTRIBUTES = ["id", "name", "aria-describedby"];

root.addEventListener("input", (event) => {
  const pair = event.target.closest(".pair");
  const isLast = pair && !pair.nextElementSibling?.matches(".pair");
  if (isLast && pair.querySelector("input").value) addPair(pair);
});

function addPair(pair) {
  const added = pair.cloneNode(true);
  added.querySelector(".preview")?.remove();
  for (const field of added.querySelectorAll("input, textarea")) {
    field.value = "";
    field.ariaLabel = field.ariaLabel.replace(/\d+$/, (number) => Number(number) + 1);
  }
  pair.after(added);
}

export function offerExpressions() {
  for (const select of panel.querySelectorAll(CHOICES)) {
    if (!select.nextElementSibling?.matches("[data-write]")) select.after(fieldButton("write", "Write an expression"));
  }
}

onClick("[data-write]", (button) => {
  const field = expressionInsteadOf(button.previousElementSibling);
  button.remove();
  field.focus();
  field.setSelectionRange(3, 3);
});

function expressionInsteadOf(select) {
  const field = document.createElement("input");
  for (const name of KEPT_ATTRIBUTES) {
    if (select.hasAttribute(name)) field.setAttribute(name, select.getAttribute(name));
  }
  field.dataset.expression = "";
  field.autocomplete = "off";
  field.value = "{{  }}";
  select.replaceWith(field);
  return field;
}

offerExpressions();
