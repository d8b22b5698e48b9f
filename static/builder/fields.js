// Maps of names and values that grow while they are filled in, or pasted into.

import { root } from "./page.js";
import { pairsOf } from "./pasted-pairs.js";

const NAME = "input[name$='.name']";
const VALUE = "[name$='.value']";

root.addEventListener("input", (event) => {
  const pair = event.target.closest(".pair");
  if (pair && isLast(pair) && pair.querySelector("input").value) addPair(pair);
});

// Lines such as `name: value`, or a JSON object, become an entry each.
root.addEventListener("paste", (event) => {
  const pair = event.target.closest(`.pair ${NAME}`)?.closest(".pair");
  const pasted = pair ? pairsOf(event.clipboardData.getData("text")) : [];
  if (!pasted.length || event.target.value) return;
  event.preventDefault();
  fillIn(pair, pasted);
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
});

const isLast = (pair) => !pair.nextElementSibling?.matches(".pair");

function fillIn(pair, entries) {
  let current = pair;
  for (const [name, value] of entries) {
    if (!current || current.querySelector(NAME).value) current = addPair(current ?? pair);
    current.querySelector(NAME).value = name;
    current.querySelector(VALUE).value = value;
    if (isLast(current)) addPair(current);
    current = current.nextElementSibling;
  }
}

function addPair(pair) {
  const added = pair.cloneNode(true);
  added.querySelector(".preview")?.remove();
  for (const field of added.querySelectorAll("input, textarea, select")) {
    field.value = "";
    field.ariaLabel = field.ariaLabel.replace(/\d+$/, (number) => Number(number) + 1);
  }
  added.querySelector(".pair-actions")?.remove(); // they come with the answer that draws the form anew
  pair.after(added);
  return added;
}
