// Keys of the builder: undo anywhere, and on a card what is done to its step, and the way to the next.

import { bindKey } from "../keys/keys.js";
import { gettext } from "../texts.js";
import { fold } from "./folding.js";
import { cardOf, flow, shownCards } from "./page.js";
import { extend, stepsWith } from "./selection.js";
import { actOnCard } from "./step-actions.js";
import { redo, undo } from "./undo.js";

const STEPS = gettext("On a step’s card");

function bindCardKey(keys, text, run) {
  const when = (event) => cardOf(event.target.closest?.(".open"));
  bindKey(keys, { group: STEPS, text, when, act: run && ((event) => run(when(event))) });
}

// The trigger's card comes before those of the steps.
function bindNodeKey(keys, text, run) {
  const when = (event) => event.target.closest?.("#flow .open")?.closest(".node");
  bindKey(keys, { group: STEPS, text, when, act: (event) => run(when(event)) });
}

function goFrom(node, by) {
  const all = [flow.querySelector(".trigger-node"), ...shownCards()];
  all[all.indexOf(node) + by]?.querySelector(".open").focus();
}

const slotBehind = (node) => (cardOf(node) ? node.nextElementSibling : flow.querySelector(".slot"));

const acts = (name) => (card) => actOnCard(name, card, stepsWith(card));

const BUILDER = gettext("Builder");

bindKey("Mod+Z", { group: BUILDER, text: gettext("Undo"), act: undo });
bindKey("Mod+Shift+Z", { group: BUILDER, text: gettext("Redo"), act: redo });
bindKey("Mod+Y", { group: BUILDER, text: gettext("Redo"), act: redo });
bindCardKey("Enter", gettext("Open the step"));
bindNodeKey("ArrowUp", gettext("Go to the step above"), (node) => goFrom(node, -1));
bindNodeKey("ArrowDown", gettext("Go to the step below"), (node) => goFrom(node, 1));
bindNodeKey("+", gettext("Add a step below"), (node) => slotBehind(node).querySelector("[data-add]").click());
bindCardKey("Alt+ArrowUp", gettext("Move the step up"), acts("up"));
bindCardKey("Alt+ArrowDown", gettext("Move the step down"), acts("down"));
bindCardKey("Alt+ArrowRight", gettext("Move the step into the block above"), acts("in"));
bindCardKey("Alt+ArrowLeft", gettext("Move the step out of the block"), acts("out"));
bindCardKey("Shift+ArrowUp", gettext("Select the step above, too"), (card) => extend(card, -1));
bindCardKey("Shift+ArrowDown", gettext("Select the step below, too"), (card) => extend(card, 1));
bindCardKey("Mod+C", gettext("Copy the steps"));
bindCardKey("Mod+X", gettext("Cut the steps"));
bindCardKey("Mod+V", gettext("Paste steps below"));
bindCardKey("ArrowLeft", gettext("Collapse the block"), (card) => fold(card, true));
bindCardKey("ArrowRight", gettext("Expand the block"), (card) => fold(card, false));
bindCardKey("Delete", gettext("Delete the step"), acts("delete"));
