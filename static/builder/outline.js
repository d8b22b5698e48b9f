// The outline beside the flow: the names of the steps as a nested list, drawn after the cards.

import { flow, onFlowChange } from "./page.js";
import { reveal } from "./revealing.js";

const FEWEST_STEPS = 8;
const MOVES = { ArrowDown: 1, ArrowUp: -1 };

const outline = document.getElementById("outline");
const links = () => [...outline.querySelectorAll("a")];

function draw() {
  const focused = outline.contains(document.activeElement) ? document.activeElement.dataset.open : null;
  outline.hidden = flow.querySelectorAll(".node[data-at]").length < FEWEST_STEPS;
  outline.replaceChildren(
    ...(outline.hidden ? [] : [drawList([...flow.querySelectorAll(".trigger-node"), ...nodesIn(flow)])]),
  );
  if (focused)
    links()
      .find((link) => link.dataset.open === focused)
      ?.focus();
}

// The cards in an element that are in no other card of it.
function nodesIn(element) {
  const own = (card) => card.parentElement.closest(".node") === (element.closest(".node") ?? null);
  return [...element.querySelectorAll(".node[data-at]")].filter(own);
}

function drawList(cards) {
  const list = document.createElement("ol");
  list.append(...cards.map(drawItem));
  return list;
}

function drawItem(card) {
  const item = document.createElement("li");
  item.append(drawLink(card));
  const inner = nodesIn(card);
  if (inner.length) item.append(drawList(inner));
  return item;
}

function drawLink(card) {
  const shown = card.querySelector(".open");
  const link = document.createElement("a");
  link.href = shown.href;
  link.dataset.open = shown.dataset.open;
  link.dir = "auto";
  link.textContent = card.querySelector("strong").textContent;
  if (shown.ariaCurrent) link.ariaCurrent = shown.ariaCurrent;
  if (card.dataset.state) link.dataset.state = card.dataset.state;
  return link;
}

outline.addEventListener("keydown", (event) => {
  const by = MOVES[event.key];
  if (!by) return;
  event.preventDefault();
  const all = links();
  all[Math.min(Math.max(all.indexOf(event.target) + by, 0), all.length - 1)].focus();
});

outline.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  const card = link && flow.querySelector(`[data-open="${CSS.escape(link.dataset.open)}"]`)?.closest(".node");
  if (card) reveal(card);
});

onFlowChange(draw);
draw();
