// Sends the forms of the page without loading it again.

import { forgetUnsaved, saveNow, saveSoon } from "./autosave.js";
import { sendForm } from "./edits.js";
import { focusMissing } from "./notes.js";
import { bar, panel, scrollOnPhone } from "./page.js";
import { tryStep } from "./step-trial.js";

document.addEventListener("submit", (event) => {
  const handle = handlerOf(event.target, event.submitter);
  if (!handle) return;
  event.preventDefault();
  handle(event.target, event.submitter);
});

function handlerOf(form, submitter) {
  if (form.matches("[data-edit]")) return submitEdit;
  if (form.matches("[data-autosave]")) return submitter?.hasAttribute("formaction") ? submitInsteadOfSaving : save;
  if (form.matches("[data-try]")) return tryStep;
  if (form.matches("[data-after-saving]") && !form.dataset.saved) return submitAfterSaving;
  return null;
}

function save(form) {
  saveSoon(form, 0);
  saveNow();
}

// An edit that takes the form's fields along.
function submitInsteadOfSaving(form, submitter) {
  forgetUnsaved();
  sendForm(form, submitter);
}

async function submitEdit(form, submitter) {
  saveNow();
  const dialog = form.closest("dialog");
  dialog?.close();
  await sendForm(form, submitter);
  if (dialog) openAdded();
}

function openAdded() {
  focusMissing();
  scrollOnPhone(panel, "start");
}

// Saving draws the form anew: what was filled in goes into the new one.
async function submitAfterSaving(form) {
  await saveNow();
  const again = [...bar.querySelectorAll("form")].find((other) => other.action === form.action) ?? form;
  for (const field of form.elements) {
    const twin = field.name && field.name !== "revision" && again.elements[field.name];
    if (twin) twin.value = field.value;
  }
  again.dataset.saved = "true";
  again.submit();
}
