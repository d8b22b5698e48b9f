// Asks a service for the values of a field, and offers them in it.

import { gettext } from "../texts.js";
import { outputBelow } from "./expression-preview.js";
import { fieldButton, onClick, panel } from "./page.js";
import { requestFragment } from "./server.js";

const ASKED = "input[data-asked]";

export function offerAsking() {
  for (const field of panel.querySelectorAll(ASKED)) {
    const isOffered = field.parentElement.querySelector("[data-ask]");
    if (!isOffered) field.after(fieldButton("ask", "Show what there is"));
  }
}

onClick("[data-ask]", async (button) => {
  const field = button.parentElement.querySelector(ASKED);
  button.disabled = true;
  const nodes = await requestFragment(field.form.dataset.values, questionOf(field));
  button.disabled = false;
  if (button.isConnected) show(field, button, nodes ?? [gettext("The server does not answer.")]);
});

function questionOf(field) {
  const data = new FormData();
  for (const name of ["csrf_token", "at"]) data.set(name, field.form.elements[name].value);
  data.set("field", field.dataset.asked);
  return data;
}

function show(field, button, nodes) {
  const isOption = (node) => node.nodeName === "OPTION";
  field.list.replaceChildren(...nodes.filter(isOption));
  outputBelow(button).replaceChildren(...nodes.filter((node) => !isOption(node)));
  field.focus();
}

offerAsking();
