// The dialog with the steps that can be added: searched by typing, chosen by keyboard or mouse.

import { onClick, palette } from "./page.js";
import { request } from "./server.js";

const TYPING_MS = 100;

const search = palette.querySelector("[data-search]");
const close = palette.querySelector("[data-close]");
const choices = () => palette.querySelectorAll(".choices li");
const buttons = () => [...palette.querySelectorAll(".choices li:not([hidden]) button")];

onClick("[data-add]", (link) => {
  const { into, position } = link.closest("[data-into]").dataset;
  for (const form of palette.querySelectorAll("form")) {
    form.elements.into.value = into;
    form.elements.position.value = position;
  }
  if (search.value) {
    search.value = "";
    searchAll();
  }
  palette.showModal();
  search.focus();
});

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const choice of choices()) choice.hidden = !words.every((word) => choice.dataset.words.includes(word));
  for (const group of palette.querySelectorAll("section")) group.hidden = !group.querySelector("li:not([hidden])");
  palette.querySelector("[data-nothing]").hidden = buttons().length > 0;
}

let searching = null;

function searchAll() {
  filter();
  if (palette.querySelector("section[data-api]")) searching = searchServer(search.value);
}

// Of APIs with many operations only some are on the page: the server finds the others.
async function searchServer(words) {
  const isOld = () => words !== search.value;
  await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
  if (isOld()) return;
  const answer = await request(`${palette.dataset.operations}?q=${encodeURIComponent(words)}`).catch(() => null);
  if (!answer?.ok || isOld()) return;
  for (const found of answer.page.querySelectorAll("section[data-api]")) {
    palette.querySelector(`section[data-api="${CSS.escape(found.dataset.api)}"]`)?.replaceWith(found);
  }
  filter();
}

async function addBestMatch() {
  await searching;
  bestMatch()?.click();
}

// A word in a title counts more than one in a help text, and that more than a part of one.
function rank(button) {
  const wanted = search.value.trim().toLowerCase();
  const title = button.querySelector("strong").textContent.toLowerCase();
  if (title.includes(wanted)) return title.startsWith(wanted) ? 0 : 1;
  return button.closest("li").dataset.words.split(" ").includes(wanted) ? 2 : 3;
}

const bestMatch = () => buttons().toSorted((one, other) => rank(one) - rank(other))[0];

function moveFocus(by) {
  const all = buttons();
  const next = all.indexOf(document.activeElement) + by;
  if (next < 0) search.focus();
  else all[Math.min(next, all.length - 1)]?.focus();
}

const KEYS = {
  ArrowDown: () => moveFocus(1),
  ArrowUp: () => moveFocus(-1),
};

palette.addEventListener("keydown", (event) => {
  const act = event.key === "Enter" && event.target === search ? addBestMatch : KEYS[event.key];
  if (!act) return;
  act();
  event.preventDefault();
});

search.addEventListener("input", searchAll);
close.addEventListener("click", () => palette.close());
palette.addEventListener("click", (event) => event.target === palette && palette.close());
for (const control of [search, close]) control.hidden = false;
if (palette.open) palette.close(); // it stands open for those without scripts
