// Asks a service for the values of a field, and offers them in it.

import { onClick, panel } from "./page.js";
import { requestFragment } from "./server.js";

export function offerAsking() {
  for (const field of panel.querySelectorAll("input[data-asked]")) {
    if (!field.nextElementSibling?.matches("[data-ask]")) field.after(askButton());
  }
}

function askButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet small-button";
  button.dataset.ask = "";
  button.textContent = "Show what there is";
  return button;
}

onClick("[data-ask]", async (button) => {
  const field = button.previousElementSibling;
  button.disabled = true;
  const nodes = await requestFragment(field.form.dataset.values, questionOf(field));
  button.disabled = false;
  if (field.isConnected) show(field, nodes ?? ["The server did not answer."]);
});

function questionOf(field) {
  const data = new FormData();
  for (const name of ["csrf_token", "at"]) data.set(name, field.form.elements[name].value);
  data.set("field", field.dataset.asked);
  return data;
}

function show(field, nodes) {
  const isOption = (node) => node.nodeName === "OPTION";
  field.list.replaceChildren(...nodes.filter(isOption));
  outputBelow(field).replaceChildren(...nodes.filter((node) => !isOption(node)));
  field.focus();
}

function outputBelow(field) {
  const button = field.nextElementSibling;
  if (button.nextElementSibling?.matches(".preview")) return button.nextElementSibling;
  const output = document.createElement("output");
  output.className = "preview";
  button.after(output);
  return output;
}

offerAsking();
