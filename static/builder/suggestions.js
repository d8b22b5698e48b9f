// A list of suggestions beside a field that keeps the focus (ARIA: aria-activedescendant). One at most is shown.

import { gettext, ngettext } from "../texts.js";

const list = document.createElement("ul");
list.id = "suggestions-list";
list.role = "listbox";
list.ariaLabel = gettext("Suggestions");

const help = document.createElement("p");
const count = document.createElement("p");
count.className = "hidden";
count.role = "status";

const box = document.createElement("div");
box.className = "suggestions card";
box.popover = "manual";
box.append(list, help);
document.body.append(box, count);

const GAP = 4;
let shown = null; // the field, its options, and what is done with the chosen one
let active = 0;

export const isSuggesting = (field) => shown?.field === field;

// `options`: each with `label`, and if there is more to say `detail` and `help`. `place`: the rectangle it stands under.
export function suggest(field, options, place, choose) {
  if (!options.length) return hideSuggestions();
  shown = { field, options, choose };
  list.replaceChildren(...options.map(itemOf));
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  box.showPopover();
  putBeside(place);
  activate(0);
  count.textContent = ngettext("%(count)s suggestion", "%(count)s suggestions", options.length);
}

export function hideSuggestions() {
  if (!shown) return;
  shown.field.removeAttribute("aria-activedescendant");
  shown = null;
  count.textContent = "";
  box.hidePopover();
}

export function moveSuggestion(by) {
  activate((active + by + shown.options.length) % shown.options.length);
}

export function chooseSuggestion(number = active) {
  const { options, choose } = shown;
  hideSuggestions();
  choose(options[number]);
}

function itemOf({ label, detail = "" }, number) {
  const item = document.createElement("li");
  item.id = `suggestion-${number}`;
  item.role = "option";
  const key = document.createElement("span");
  key.className = "key";
  key.textContent = label;
  const more = document.createElement("span");
  more.className = "value";
  more.textContent = detail;
  item.append(key, " ", more);
  return item;
}

function activate(number) {
  list.children[active]?.removeAttribute("aria-selected");
  active = number;
  const item = list.children[number];
  item.ariaSelected = "true";
  item.scrollIntoView({ block: "nearest" });
  shown.field.setAttribute("aria-activedescendant", item.id);
  help.textContent = shown.options[number].help ?? "";
  help.hidden = !help.textContent;
}

function putBeside(place) {
  const { width, height } = box.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const below = place.bottom + GAP;
  const top = below + height <= clientHeight ? below : Math.max(GAP, place.top - height - GAP);
  box.style.top = `${top}px`;
  box.style.left = `${Math.max(GAP, Math.min(place.left, clientWidth - width - GAP))}px`;
}

// The field keeps the focus while the mouse is used.
box.addEventListener("mousedown", (event) => event.preventDefault());
list.addEventListener("click", (event) => {
  const item = event.target.closest("[role=option]");
  if (item) chooseSuggestion([...list.children].indexOf(item));
});
