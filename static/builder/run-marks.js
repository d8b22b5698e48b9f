// Marks on the cards of the flow, which tell how far a run has got. Cards that are drawn anew get theirs again.

import { flow } from "./page.js";

let marks = new Map(); // by the step's id
const shownMarks = new WeakMap(); // by box, what was put there: a box that is drawn anew has nothing yet

export function showMarks(items) {
  marks = new Map(items.map((item) => [item.dataset.step, item]));
  apply();
}

// The titles of the steps that have no card any more.
export function titlesOfGone() {
  const ids = new Set(cards().map((card) => card.dataset.step));
  return [...marks.values()].filter((item) => !ids.has(item.dataset.step)).map((item) => item.dataset.title);
}

export function clearMarks() {
  marks = new Map();
  apply();
}

const cards = () => [...flow.querySelectorAll(".node[data-step]")];

function apply() {
  for (const card of cards()) mark(card, marks.get(card.dataset.step));
}

function mark(card, item) {
  const box = card.querySelector(":scope > .box");
  const text = item?.outerHTML;
  if (shownMarks.has(box) && shownMarks.get(box) === text) return;
  setState(card, item?.dataset.state);
  const isMarked = put(box.querySelector(".open"), ":scope > .run-mark", item?.querySelector(".run-mark"));
  const isChosen = put(card, ":scope > .run-rounds", item?.querySelector(".run-rounds"), box);
  if (isMarked && isChosen) shownMarks.set(box, text);
}

function setState(card, state) {
  if (card.dataset.run === state) return;
  if (state) card.dataset.run = state;
  else delete card.dataset.run;
}

// Replaces what is there only where it differs, and never under the hands of somebody who uses it: it returns whether
// what is wanted is there.
function put(parent, selector, wanted, before) {
  const shown = parent.querySelector(selector);
  if (shown?.outerHTML === wanted?.outerHTML) return true;
  if (shown?.contains(document.activeElement)) return false;
  shown?.remove();
  if (wanted && before) before.after(wanted.cloneNode(true));
  else if (wanted) parent.append(wanted.cloneNode(true));
  return true;
}

flow.addEventListener("flowdrawn", apply);
