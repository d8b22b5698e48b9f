// Marks the expressions of fields, their brackets and what is wrong in them. The marks stand on a layer above a field,
// which stays the plain field that it is: its text, caret and keys are the browser's.

import { expressionsIn, pairAt } from "./expression-syntax.js";
import { panel } from "./page.js";

const FIELDS = "[data-preview] [data-expression]";
const COPIED = ["font", "letterSpacing", "lineHeight", "padding", "tabSize", "textAlign"];

const layers = new Map();
const problems = new WeakMap(); // by field: the text that was wrong, and where

export function offerMarks() {
  for (const field of layers.keys()) if (!field.isConnected) layers.delete(field);
  for (const field of panel.querySelectorAll(FIELDS)) mark(field);
}

// `span`: the characters of the text that are to blame, counted as the server does; empty where nothing is.
export function markProblem(field, text, span) {
  const at = span.map((count) => [...text].slice(0, count).join("").length);
  problems.set(field, { text, at });
  mark(field);
}

// Where a character of a field stands on the screen; that of the field where nothing is marked.
export function placeOnScreen(field, index) {
  const layer = layers.get(field);
  if (!layer) return field.getBoundingClientRect();
  const texts = document.createTreeWalker(layer, NodeFilter.SHOW_TEXT);
  let rest = index;
  for (let node = texts.nextNode(); node; node = texts.nextNode()) {
    if (rest <= node.length) return rectangleOf(node, rest);
    rest -= node.length;
  }
  return field.getBoundingClientRect();
}

function rectangleOf(node, offset) {
  const range = document.createRange();
  range.setStart(node, offset);
  return range.getBoundingClientRect();
}

function mark(field) {
  if (!field.value.includes("{{")) return unmark(field);
  const layer = layers.get(field) ?? addLayer(field);
  layer.firstChild.replaceChildren(...piecesOf(field.value, rangesOf(field)), "\u200b"); // a last empty line has its height
  place(field);
}

function unmark(field) {
  layers.get(field)?.remove();
  layers.delete(field);
}

function addLayer(field) {
  const layer = document.createElement("div");
  layer.className = "expression-marks";
  layer.ariaHidden = "true";
  layer.dataset.lines = field.matches("textarea") ? "many" : "one";
  layer.append(document.createElement("div"));
  field.before(layer);
  layers.set(field, layer);
  watched.observe(field);
  watched.observe(field.parentElement);
  return layer;
}

function rangesOf(field) {
  const text = field.value;
  const problem = problems.get(field);
  const isOpen = document.activeElement === field;
  return [
    ...expressionsIn(text).map(({ from, to }) => ({ kind: "expression", from, to })),
    ...(isOpen ? pairAt(text, field.selectionStart) : []).map((at) => ({ kind: "bracket", from: at, to: at + 1 })),
    ...(problem?.text === text && problem.at.length
      ? [{ kind: "problem", from: problem.at[0], to: problem.at[1] }]
      : []),
  ];
}

// Cuts a text where a range begins or ends; a piece names all the ranges that it is in.
function piecesOf(text, ranges) {
  const cuts = new Set([0, text.length, ...ranges.flatMap(({ from, to }) => [from, to])]);
  const edges = [...cuts].toSorted((one, other) => one - other);
  return edges.slice(1).map((end, number) => {
    const start = edges[number];
    const kinds = ranges.filter(({ from, to }) => from <= start && end <= to).map(({ kind }) => kind);
    return kinds.length ? marked(text.slice(start, end), kinds) : text.slice(start, end);
  });
}

function marked(text, kinds) {
  const piece = document.createElement("span");
  piece.dataset.marks = kinds.join(" ");
  piece.textContent = text;
  return piece;
}

function place(field) {
  const layer = layers.get(field);
  if (!layer) return;
  const style = getComputedStyle(field);
  for (const name of COPIED) layer.style[name] = style[name];
  const border = Number.parseFloat(style.borderLeftWidth);
  layer.style.left = `${field.offsetLeft + border}px`;
  layer.style.top = `${field.offsetTop + field.clientTop}px`;
  layer.style.width = `${widthInside(field, border)}px`;
  layer.style.height = `${field.clientHeight}px`;
  layer.scrollTo(field.scrollLeft, field.scrollTop);
}

// Without the scrollbar of a text area. An input has none, and in Firefox its padding is outside its client area.
function widthInside(field, border) {
  return field.matches("textarea") ? field.clientWidth : field.offsetWidth - 2 * border;
}

const watched = new ResizeObserver((entries) => {
  const around = new Set(entries.map(({ target }) => target));
  for (const field of layers.keys()) if (around.has(field) || around.has(field.parentElement)) place(field);
});

const onField = (act) => (event) => event.target.matches?.(FIELDS) && act(event.target);

panel.addEventListener("input", onField(mark));
panel.addEventListener("focusin", onField(mark));
panel.addEventListener("focusout", onField(mark));
panel.addEventListener("scroll", onField(place), { capture: true });
document.addEventListener("selectionchange", () => {
  if (layers.has(document.activeElement)) mark(document.activeElement);
});
offerMarks();
