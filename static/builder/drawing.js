// Brings the flow up to date. Cards whose step is still there stay the elements that they are, moved where they belong;
// only what they show is replaced, and only where it changed. So whoever marks cards finds the marks again.

import { cardLink, cards, flow, openedStep, root } from "./page.js";

const shownDrawing = () => flow.querySelector("[data-drawing]");

// What the server need not send again: the drawing as a whole, and the boxes in it.
export const drawingVersion = () => shownDrawing().dataset.drawing;
export const boxVersions = () => [...flow.querySelectorAll("[data-version]")].map((box) => box.dataset.version);

let boxes; // those that were shown, by version
let kept; // the cards that stay, by what is drawn in their place

// Afterwards the event `flowdrawn` says that cards may have come, gone or changed.
export function showFlow(part) {
  const drawing = part.querySelector("[data-drawing]");
  boxes = new Map([...flow.querySelectorAll("[data-version]")].map((box) => [box.dataset.version, box]));
  kept = matchCards(cards(), [...drawing.querySelectorAll(".node[data-at]")]);
  updateDrawing(shownDrawing(), drawing);
  flow.dispatchEvent(new CustomEvent("flowdrawn"));
}

// A step without an id is called by its index, which changes when others come or go before it: what a card shows tells
// more than the name.
const SIGNS = [
  (card) => `${card.dataset.step} ${boxOf(card).dataset.version}`,
  (card) => boxOf(card).dataset.version,
  (card) => card.dataset.step,
];

function matchCards(shown, drawn) {
  const found = new Map();
  for (const sign of SIGNS) matchBy(sign, shown, drawn, found);
  return found;
}

function matchBy(sign, shown, drawn, found) {
  const taken = new Set(found.values());
  const free = Map.groupBy(
    shown.filter((card) => !taken.has(card)),
    sign,
  );
  for (const item of drawn) {
    const card = found.has(item) ? null : free.get(sign(item))?.shift();
    if (card) found.set(item, card);
  }
}

// Returns what gives the focus back to the card that has it now. To be called when all is drawn: for a focus, the browser
// lays out the page.
export function holdFocus() {
  const active = document.activeElement;
  const step = flow.contains(active) && active.closest(".node")?.dataset.step;
  return () => {
    if (step === false || active === document.activeElement) return;
    const again = active.isConnected ? active : (linkOfStep(step) ?? cardLink(openedStep()));
    again?.focus({ preventScroll: true });
  };
}

const linkOfStep = (step) => step && flow.querySelector(`.node[data-step="${CSS.escape(step)}"] > .box > .open`);

function updateDrawing(shown, drawn) {
  shown.dataset.drawing = drawn.dataset.drawing;
  const before = [...shown.children];
  for (const [number, part] of [...drawn.children].entries()) {
    if (part.matches(".flow-list")) updateList(before[number], part);
    else if (!hasSameNote(before[number], part)) before[number].replaceWith(part);
  }
}

// The note on the workflow stays as it is, folded or not, until it says something else.
const hasSameNote = (shown, drawn) => "written" in drawn.dataset && shown.dataset.written === drawn.dataset.written;

function updateList(list, drawn) {
  const items = [...drawn.children].filter((item) => item.matches(".node"));
  const wanted = items.map((item) => kept.get(item) ?? item);
  list.ariaLabel = drawn.ariaLabel;
  list.dataset.list = drawn.dataset.list;
  removeOthers(list, new Set(wanted));
  place(
    list,
    wanted,
    items.map((item) => positionIn(item.dataset.at)),
  );
  for (const [number, card] of wanted.entries()) updateCard(card, items[number]);
}

const positionIn = (at) => Number(at.slice(at.lastIndexOf("/") + 1));

function removeOthers(list, wanted) {
  for (const card of list.querySelectorAll(":scope > .node")) if (!wanted.has(card)) takeOut(card);
}

function takeOut(card) {
  if (isSlot(card.nextElementSibling)) card.nextElementSibling.remove();
  card.remove();
}

// Brings the cards into their order, with a slot before the first and one behind each.
function place(list, wanted, positions) {
  if (!isSlot(list.firstElementChild)) list.prepend(newSlot());
  let slot = list.firstElementChild;
  numberSlot(slot, list.dataset.list, 0);
  for (const [number, card] of wanted.entries()) {
    placeBehind(slot, card);
    if (!isSlot(card.nextElementSibling)) card.after(newSlot());
    slot = card.nextElementSibling;
    numberSlot(slot, list.dataset.list, positions[number] + 1);
  }
  while (slot.nextElementSibling) slot.nextElementSibling.remove();
}

function placeBehind(slot, card) {
  while (isSlot(slot.nextElementSibling)) slot.nextElementSibling.remove();
  const there = slot.nextElementSibling;
  if (there && there !== card && cardBehind(there) === card) takeOut(there); // it went further down: one moves, not all
  if (slot.nextElementSibling !== card) slot.after(card);
}

const cardBehind = (card) => card.nextElementSibling?.nextElementSibling;
const isSlot = (element) => element?.matches(".slot") ?? false;
const newSlot = () => flow.querySelector(".slot").cloneNode(true);

function numberSlot(slot, into, position) {
  if (slot.dataset.into === into && slot.dataset.position === String(position)) return;
  Object.assign(slot.dataset, { into, position });
  slot.querySelector("a").href = `${root.dataset.page}?${new URLSearchParams({ into, position })}#palette`;
}

const boxOf = (card) => card.querySelector(":scope > .box");
const lanesOf = (card) => card.querySelector(":scope > .flow-lanes");

function updateCard(card, item) {
  const wanted = boxOf(item);
  if (boxOf(card).dataset.version !== wanted.dataset.version || card === item) boxOf(card).replaceWith(filled(wanted));
  card.dataset.step = item.dataset.step;
  locate(card, item.dataset.at);
  updateLanes(card, item);
}

// An empty box is one that was shown before.
const filled = (box) => (box.childElementCount ? box : boxes.get(box.dataset.version).cloneNode(true));

function locate(card, at) {
  const link = boxOf(card).querySelector(".open");
  if (card.dataset.at === at && link.dataset.open === at) return;
  card.dataset.at = at;
  link.dataset.open = at;
  link.href = `${root.dataset.page}?${new URLSearchParams({ step: at })}`;
}

function updateLanes(card, item) {
  const drawn = lanesOf(item);
  if (!drawn) return lanesOf(card)?.remove();
  if (!lanesOf(card)) card.append(drawn);
  const shown = lanesOf(card);
  const lanes = [...drawn.children];
  for (const [number, lane] of lanes.entries()) updateLane(shown, shown.children[number], lane);
  while (shown.children.length > lanes.length) shown.lastElementChild.remove();
}

const listOf = (lane) => lane.querySelector(":scope > .flow-list");

function updateLane(lanes, shown, drawn) {
  const keeps = shown && Boolean(listOf(shown)) === Boolean(listOf(drawn));
  const lane = keeps ? shown : drawn;
  if (!shown) lanes.append(lane);
  else if (!keeps) shown.replaceWith(lane);
  lane.ariaLabel = drawn.ariaLabel;
  updateHead(lane, drawn);
  if (listOf(drawn)) updateList(listOf(lane), listOf(drawn));
}

function updateHead(lane, drawn) {
  const [shown, wanted] = [lane, drawn].map((one) => one.querySelector(":scope > header"));
  const isRenamed = shown.querySelector("input") !== null;
  if (!isRenamed && !shown.isEqualNode(wanted)) shown.replaceWith(wanted);
}

export function markOpened() {
  const opened = cardLink(openedStep())?.closest(".node");
  for (const card of flow.querySelectorAll(".node.opened")) if (card !== opened) mark(card, false);
  if (opened) mark(opened, true);
}

function mark(card, isOpened) {
  card.classList.toggle("opened", isOpened);
  const link = boxOf(card).querySelector(".open");
  if (isOpened) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}
