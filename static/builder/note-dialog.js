// The dialog in which the note on a step, or on the workflow, is written.

import { openDialog } from "../dialogs.js";
import { gettext } from "../texts.js";
import { saveNow } from "./autosave.js";
import { sendOperation } from "./edits.js";
import { flow } from "./page.js";

const LONGEST = 4000;

// Without a step, on the workflow.
export async function writeNote(step = "") {
  await saveNow();
  const form = document.createElement("form");
  const field = document.createElement("textarea");
  Object.assign(field, { rows: 6, maxLength: LONGEST, ariaLabel: gettext("Note"), dir: "auto" });
  field.value = noteOn(step);
  form.method = "dialog";
  form.append(field, saveButton());
  form.addEventListener("submit", () => sendOperation("note", step, { note: field.value }));
  openDialog(gettext("Note (Markdown)"), [form]);
  field.focus();
}

function noteOn(step) {
  const card = step ? `.node[data-at="${CSS.escape(step)}"] > .box` : ".drawing";
  return flow.querySelector(`${card} > [data-written]`)?.dataset.written ?? "";
}

flow.addEventListener("click", (event) => {
  if (event.target.closest("[data-write-note]")) writeNote();
});

function saveButton() {
  const button = document.createElement("button");
  button.className = "primary";
  button.textContent = gettext("Save");
  return button;
}
