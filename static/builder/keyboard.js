// Keys of the builder: undo anywhere, and on a card move and delete.

import { bindKey } from "../keys/keys.js";
import { gettext } from "../texts.js";
import { sendOperation } from "./edits.js";
import { flow } from "./page.js";
import { redo, undo } from "./undo.js";

const STEPS = gettext("On a step’s card");

const stepOf = (event) => event.target.closest?.("#flow .node[data-at]")?.dataset.at;

function bindCardKey(keys, text, act) {
  bindKey(keys, { group: STEPS, text, when: stepOf, act: act && ((event) => act(stepOf(event))) });
}

async function move(step, direction) {
  await sendOperation(direction, step, { step });
  flow.querySelector(".node.opened [data-open]")?.focus();
}

const BUILDER = gettext("Builder");

bindKey("Mod+Z", { group: BUILDER, text: gettext("Undo"), act: undo });
bindKey("Mod+Shift+Z", { group: BUILDER, text: gettext("Redo"), act: redo });
bindKey("Mod+Y", { group: BUILDER, text: gettext("Redo"), act: redo });
bindCardKey("Enter", gettext("Open the step"));
bindCardKey("Alt+ArrowUp", gettext("Move the step up"), (step) => move(step, "up"));
bindCardKey("Alt+ArrowDown", gettext("Move the step down"), (step) => move(step, "down"));
bindCardKey("Delete", gettext("Delete the step"), (step) => sendOperation("delete", step));
