// Finds steps by what is in them. The server searches: values of fields are not on the page.

import { bindKey } from "../keys/keys.js";
import { gettext } from "../texts.js";
import { cardLink, flow, onFlowChange } from "./page.js";
import { reveal } from "./revealing.js";
import { request } from "./server.js";

const TYPING_MS = 150;
const FEWEST_STEPS = 6; // of fewer, all are in view

const find = document.getElementById("find");
const input = find.querySelector("[data-find]");
const result = find.querySelector("output");
const moves = find.querySelector(".find-moves");

let found = []; // the steps that have what is looked for: where they stand, and what was found in them
let current = -1;

const isLong = () => flow.querySelectorAll(".node[data-at]").length >= FEWEST_STEPS;
const cardOf = ({ at }) => cardLink(at)?.closest(".node");

async function search() {
  const typed = input.value.trim();
  await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
  if (typed !== input.value.trim()) return;
  const url = `${find.dataset.source}?${new URLSearchParams({ q: typed })}`;
  const answer = typed ? await request(url).catch(() => null) : null;
  if (typed !== input.value.trim()) return;
  found = [...(answer?.page.querySelectorAll("li") ?? [])].map(({ dataset, textContent }) => ({
    at: dataset.at,
    about: textContent,
  }));
  current = -1;
  if (found.length) move(1);
  else show(typed ? (answer?.ok ? gettext("No matching steps") : gettext("The server does not respond.")) : "");
}

function move(by) {
  if (!found.length) return;
  current = (current + by + found.length) % found.length;
  const card = cardOf(found[current]);
  if (card) reveal(card);
  show(
    gettext("%(number)s of %(count)s · %(about)s", {
      number: current + 1,
      count: found.length,
      about: found[current].about,
    }),
  );
}

function show(text) {
  result.textContent = text;
  moves.hidden = !found.length;
  mark();
}

function mark() {
  const hits = new Set(found.map(cardOf));
  for (const card of flow.querySelectorAll(".node")) card.toggleAttribute("data-hit", hits.has(card));
  for (const card of flow.querySelectorAll("[data-current-hit]")) card.removeAttribute("data-current-hit");
  if (found[current]) cardOf(found[current])?.setAttribute("data-current-hit", "");
}

// What was found is left marked no longer, and whoever searched goes on at the step.
function leave() {
  const last = found[current];
  input.value = "";
  found = [];
  current = -1;
  show("");
  find.hidden = !isLong();
  cardLink(last?.at ?? "trigger").focus();
}

const KEYS = {
  Enter: (event) => move(event.shiftKey ? -1 : 1),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  Escape: leave,
};

input.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  if (!act || event.isComposing) return;
  event.preventDefault();
  act(event);
});
input.addEventListener("input", search);
moves.addEventListener("click", (event) =>
  move(Number(event.target.closest("[data-find-move]")?.dataset.findMove ?? 0)),
);
onFlowChange(() => {
  find.hidden &&= !isLong();
  mark();
});

const group = gettext("Find steps");
bindKey("Enter", { group, text: gettext("Next match") });
bindKey("Shift+Enter", { group, text: gettext("Previous match") });
bindKey("Escape", { group, text: gettext("Go to the step that was found") });
