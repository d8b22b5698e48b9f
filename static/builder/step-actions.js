// What menus and keys do to steps.

import { copySteps, cutSteps, pasteFromClipboard } from "./clipboard.js";
import { sendOperation } from "./edits.js";
import { foldAll } from "./folding.js";
import { askWhere } from "./move-dialog.js";
import { writeNote } from "./note-dialog.js";
import { flow } from "./page.js";
import { reveal } from "./revealing.js";

const ACTIONS = {
  copy: copySteps,
  cut: cutSteps,
  paste: pasteFromClipboard,
  "move-to": askWhere,
  note: ([step]) => writeNote(step),
  "collapse-all": () => foldAll(true),
  "expand-all": () => foldAll(false),
};

export function act(name, steps) {
  return ACTIONS[name] ? ACTIONS[name](steps) : sendOperation(name, steps);
}

// Acts by a key on a card: the focus stays with its step, also where that goes into a collapsed block.
export async function actOnCard(name, card, steps) {
  const next = card.nextElementSibling?.nextElementSibling ?? card.previousElementSibling?.previousElementSibling;
  await act(name, steps);
  const focused = card.isConnected ? card : next;
  if (focused?.closest(".folded > .flow-lanes")) reveal(focused);
  (focused?.isConnected ? focused : flow).querySelector(".open").focus();
}
