// Steps go through the clipboard as YAML, which the server writes and reads.

import { gettext } from "../texts.js";
import { saveNow } from "./autosave.js";
import { sendOperation } from "./edits.js";
import { refuseInView, toast } from "./messages.js";
import { cardOf, flow, openedStep, palette, root } from "./page.js";
import { clearSelection, selectedCards, stepsWith } from "./selection.js";

export async function copySteps(steps) {
  await saveNow();
  const data = new FormData(palette.querySelector("form"));
  for (const step of steps) data.append("at", step);
  const answer = await fetch(root.dataset.clipboard, { method: "POST", body: data }).catch(() => null);
  if (!answer?.ok) return refuseInView(gettext("The steps could not be copied. Reload the page."));
  await write(await answer.text());
  toast(gettext("Copied."));
  return true;
}

export async function cutSteps(steps) {
  if (!(await copySteps(steps))) return;
  clearSelection();
  sendOperation("delete", steps);
}

// Behind these steps; without any, at the end.
export function pasteText(text, steps) {
  const end = { into: "/actions", position: flow.querySelectorAll(".drawing > .flow-list > .node").length };
  return sendOperation("paste", steps, steps.length ? { text } : { ...end, text });
}

// A page without TLS is not allowed to read the clipboard: there the key does.
export async function pasteFromClipboard(steps) {
  const text = await navigator.clipboard?.readText().catch(() => null);
  if (text == null)
    return refuseInView(gettext("The browser does not allow reading the clipboard here. Press Ctrl+V."));
  return pasteText(text, steps);
}

// A page without TLS has no clipboard: there the text is selected and copied as by hand.
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    writeByHand(text);
  }
}

function writeByHand(text) {
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

// What the browser would copy or paste itself is left to it. The focus tells where somebody is: the target of the event is
// in Firefox where the last caret was.
function stepsForClipboard() {
  const at = document.activeElement;
  const isElsewhere = document.querySelector("dialog:modal") || !getSelection().isCollapsed;
  if (isElsewhere || at?.closest("input, textarea, select, [contenteditable], #panel")) return null;
  const card = cardOf(at);
  return card ? stepsWith(card) : selectedCards().map((one) => one.dataset.at);
}

function onClipboard(name, act) {
  document.addEventListener(name, (event) => {
    const steps = stepsForClipboard();
    if (!steps || (name !== "paste" && !steps.length)) return;
    event.preventDefault();
    act(steps, event);
  });
}

onClipboard("copy", copySteps);
onClipboard("cut", cutSteps);
onClipboard("paste", (steps, event) => {
  const opened = openedStep();
  pasteText(event.clipboardData.getData("text/plain"), steps.length || !opened.startsWith("/") ? steps : [opened]);
});
