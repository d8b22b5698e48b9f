// Shows below a field what its expression gives with the data at hand.

import { markProblem } from "./expression-marks.js";
import { panel, root } from "./page.js";
import { requestFragment } from "./server.js";

const PAUSE_MS = 350;
let timer = null;

root.addEventListener("input", (event) => previewSoon(event.target));
panel.addEventListener("focusin", (event) => previewSoon(event.target));

function previewSoon(field) {
  if (!field.matches("[data-preview] [data-expression]")) return;
  if (!field.value.includes("{{")) {
    shownBelow(field)?.remove();
    return;
  }
  clearTimeout(timer);
  timer = setTimeout(() => preview(field), PAUSE_MS);
}

async function preview(field) {
  const form = field.closest("[data-preview]");
  const text = field.value;
  const nodes = await requestFragment(form.dataset.preview, questionOf(form, field));
  if (!nodes || !field.isConnected) return;
  outputBelow(field).replaceChildren(...nodes);
  const { from, to } = shownBelow(field).querySelector("[data-from]")?.dataset ?? {};
  markProblem(field, text, from ? [Number(from), Number(to)] : []);
}

function questionOf(form, field) {
  const data = new FormData();
  for (const name of ["csrf_token", "at"]) data.set(name, form.elements[name].value);
  data.set("text", field.value);
  return data;
}

export const outputBelow = (element) => shownBelow(element) ?? addBelow(element);

function shownBelow(element) {
  const next = element.nextElementSibling;
  return next?.matches(".preview") ? next : null;
}

function addBelow(element) {
  const output = document.createElement("output");
  output.className = "preview";
  element.after(output);
  return output;
}
