// Shows the parts of the page that an answer of the server holds.

import { gettext } from "../texts.js";
import { offerAsking } from "./asked-values.js";
import { offerEditors } from "./code-fields.js";
import { offerData } from "./data-search.js";
import { holdFocus, markOpened, showFlow } from "./drawing.js";
import { offerMarks } from "./expression-marks.js";
import { replaceContent } from "./focus.js";
import { clearRefusal, refuse, refuseInView, toast } from "./messages.js";
import { forgetNotes, showNotes } from "./notes.js";
import { bar, guide, openedStep, panel } from "./page.js";
import { offerTabs } from "./tabs.js";
import { offerOwnZone } from "./time-zones.js";

const SHOW = {
  bar: showBar,
  flow: showFlow,
  guide: showGuide,
  notes: showNotes,
  panel: showPanel,
  refusal: (part) => refuseInView(...part.childNodes),
  message: (part) => toast(part.textContent, { offersUndo: "undoable" in part.dataset }),
  trigger: (part) => panel.querySelector("#trigger")?.replaceChildren(...part.childNodes),
};

export function showParts({ ok, page }) {
  const parts = page.querySelectorAll("[data-part]");
  if (!parts.length)
    return refuse(gettext("You may have been signed out, or the server is restarting. Reload the page."));
  const giveBackFocus = holdFocus();
  if (ok) clearRefusal();
  for (const part of parts) SHOW[part.dataset.part]?.(part);
  markOpened();
  giveBackFocus();
}

function showBar(part) {
  const note = bar.querySelector("details.publish[open] [name=note]")?.value;
  replaceContent(bar, part);
  if (note !== undefined) reopenPublishing(note);
  addressOpenedStep();
}

function reopenPublishing(note) {
  const publishing = bar.querySelector("details.publish");
  if (!publishing) return;
  publishing.open = true;
  publishing.querySelector("[name=note]").value = note;
}

// Loading the page again opens what is open now.
function addressOpenedStep() {
  const url = new URL(location.href);
  if ((url.searchParams.get("step") ?? "") === openedStep()) return;
  url.searchParams.set("step", openedStep());
  history.replaceState({}, "", url);
}

function showGuide(part) {
  guide.replaceChildren(...part.childNodes);
  globalThis.htmx?.process(guide); // it looks for what happens elsewhere
}

function showPanel(part) {
  replaceContent(panel, part);
  forgetNotes();
  offerTabs();
  globalThis.htmx?.process(panel); // it listens for a test call
  offerAsking();
  offerMarks();
  offerData();
  offerEditors();
  offerOwnZone();
}
