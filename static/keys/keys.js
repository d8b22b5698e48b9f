// The keys of a page: each is bound here, with the words by which `?` lists it.

import { gettext } from "../texts.js";

const isMac = /Mac|iPhone|iPad/.test(navigator.platform);
const NAMES = {
  Mod: isMac ? "⌘" : "Ctrl",
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
  Delete: "Del",
};
const FIELDS =
  "input:not([type=checkbox], [type=radio], [type=button], [type=submit]), select, textarea, [contenteditable]";

const bound = [];

export const EVERYWHERE = gettext("Everywhere");

// `keys`: a key and what is held with it, as in `Mod+Shift+Z`; Mod is Command on a Mac, elsewhere Control. Without `act`
// it is only listed: the browser does it. `when` says of an event whether the key applies. Where somebody writes, only
// keys with `inFields` act, and none while a dialog is open.
export function bindKey(keys, { group = EVERYWHERE, text, act = null, when = () => true, inFields = false }) {
  bound.push({ keys, wanted: parse(keys), group, text, act, when, inFields });
}

// What is bound, by group, in the order in which it was.
export const boundKeys = () => Map.groupBy(bound, (one) => one.group);

// The caps that are pressed, as they are written on a keyboard.
export const capsOf = (keys) => namesOf(keys).map((name) => NAMES[name] ?? name);

const namesOf = (keys) => keys.split(/\+(?=.)/); // a plus at the end is a key

function parse(keys) {
  const names = namesOf(keys);
  const key = names.at(-1);
  const has = (name) => names.includes(name);
  return { key: key.length === 1 ? key.toLowerCase() : key, mod: has("Mod"), shift: has("Shift"), alt: has("Alt") };
}

// Where a character stands on the keyboard, and whether with Shift, depends on the language.
function isPressed({ key, mod, shift, alt }, event) {
  const pressed = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const isSign = key.length === 1 && !/[a-z]/.test(key);
  const withMod = isMac ? event.metaKey : event.ctrlKey;
  return pressed === key && withMod === mod && event.altKey === alt && (isSign || event.shiftKey === shift);
}

const isField = (element) => element.matches?.(FIELDS) ?? false;

// In an editor of code the target of an event is what the editor stands in.
const isInField = (event) => isField(event.composedPath()[0]) || Boolean(event.composedPath()[0].isContentEditable);

function keyFor(event) {
  if (event.isComposing || event.defaultPrevented || document.querySelector("dialog:modal")) return null;
  const inField = isInField(event);
  return bound.find((one) => one.act && (one.inFields || !inField) && isPressed(one.wanted, event) && one.when(event));
}

document.addEventListener("keydown", (event) => {
  const found = keyFor(event);
  if (!found) return;
  event.preventDefault();
  found.act(event);
});
