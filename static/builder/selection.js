// Steps that are selected together: with Ctrl or Command one more, with Shift all up to it.

import { gettext, ngettext } from "../texts.js";
import { cardOf, cards, flow, shownCards } from "./page.js";

const bar = document.getElementById("selection");
let anchor = null; // the card from which a range goes

export const selectedCards = () => cards().filter((card) => card.hasAttribute("data-selected"));

// The steps that an edit of this card is about: all that are selected, where it is one of them.
export function stepsWith(card) {
  const all = selectedCards();
  return (all.includes(card) ? all : [card]).map((one) => one.dataset.at);
}

export function clearSelection() {
  for (const card of selectedCards()) card.removeAttribute("data-selected");
  anchor = null;
  tell();
}

function toggle(card) {
  card.toggleAttribute("data-selected");
  anchor = card;
  tell();
}

function selectUpTo(card) {
  const all = cards();
  const [from, to] = [all.indexOf(anchor), all.indexOf(card)].toSorted((one, other) => one - other);
  for (const [number, one] of all.entries()) one.toggleAttribute("data-selected", number >= from && number <= to);
  tell();
}

function tell() {
  const count = selectedCards().length;
  bar.hidden = count < 2;
  bar.querySelector("output").textContent = ngettext("%(count)s step selected", "%(count)s steps selected", count);
}

// Extends the selection by the card above or below, and goes there.
export function extend(from, by) {
  const all = shownCards();
  const next = all[all.indexOf(from) + by];
  if (!next) return;
  if (!anchor?.isConnected || !selectedCards().includes(from)) anchor = from;
  selectUpTo(next);
  next.querySelector(".open").focus();
}

flow.addEventListener(
  "click",
  (event) => {
    const card = cardOf(event.target.closest(".open"));
    if (!card) return;
    const isRange = event.shiftKey && (anchor?.isConnected || flow.querySelector(".node[data-at].opened"));
    if (!isRange && !event.ctrlKey && !event.metaKey) return clearSelection();
    event.preventDefault();
    event.stopPropagation();
    if (isRange && !anchor?.isConnected) anchor = flow.querySelector(".node[data-at].opened");
    if (isRange) selectUpTo(card);
    else toggle(card);
  },
  { capture: true },
);

flow.addEventListener("flowdrawn", tell);
bar.querySelector("[data-clear]").addEventListener("click", clearSelection);
bar.querySelector("[data-clear]").ariaLabel = gettext("Clear the selection");
