// The dialog in which the note on a step is written.

import { openDialog } from "../dialogs.js";
import { gettext } from "../texts.js";
import { saveNow } from "./autosave.js";
import { sendOperation } from "./edits.js";
import { flow } from "./page.js";

const LONGEST = 4000;

export async function writeNote(step) {
  await saveNow();
  const card = flow.querySelector(`.node[data-at="${CSS.escape(step)}"]`);
  const form = document.createElement("form");
  const field = document.createElement("textarea");
  Object.assign(field, { rows: 6, maxLength: LONGEST, ariaLabel: gettext("Note"), dir: "auto" });
  field.value = card.querySelector(":scope > .box [data-written]")?.dataset.written ?? "";
  form.method = "dialog";
  form.append(field, saveButton());
  form.addEventListener("submit", () => sendOperation("note", step, { note: field.value }));
  openDialog(gettext("Note (Markdown)"), [form]);
  field.focus();
}

function saveButton() {
  const button = document.createElement("button");
  button.className = "primary";
  button.textContent = gettext("Save");
  return button;
}
