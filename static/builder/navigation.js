// Opens steps in the panel; the browser's history goes along.

import { bindKey } from "../keys/keys.js";
import { gettext } from "../texts.js";
import { saveNow } from "./autosave.js";
import { drawingVersion } from "./drawing.js";
import { tellUnanswered } from "./messages.js";
import { focusMissing } from "./notes.js";
import { cardLink, onClick, openedStep, panel, root, scrollOnPhone } from "./page.js";
import { showParts } from "./parts.js";
import { request } from "./server.js";

const FIELDS = "input:not([type=hidden], [hidden]), select, textarea:not([hidden])";

async function openStep(step, { push = true } = {}) {
  await saveNow();
  const url = new URL(root.dataset.page, location.href);
  if (step) url.searchParams.set("step", step);
  const answer = await request(url, { headers: { "X-Part": drawingVersion() } }).catch(() => null);
  if (!answer) return tellUnanswered();
  showParts(answer);
  if (push) history.pushState({}, "", url);
  scrollOnPhone(panel, "start");
}

function focusCard(step) {
  const card = cardLink(step);
  scrollOnPhone(card, "center");
  card?.focus({ preventScroll: true });
}

// Whoever opens a step by the keyboard wants to fill it in; a click leaves the keyboard of a phone alone.
function focusForm(fills) {
  if (!fills) panel.focus({ preventScroll: true });
  else if (!focusMissing()) (firstField() ?? panel).focus();
}

const firstField = () => panel.querySelector(`[data-field] :is(${FIELDS})`) ?? panel.querySelector(FIELDS);

onClick("[data-open]", async (target, event) => {
  target.closest("details.publish")?.removeAttribute("open");
  const closed = target.closest("#panel .panel-head") && openedStep();
  await openStep(target.dataset.open);
  if (closed) focusCard(closed);
  else focusForm(event.detail === 0 || "missing" in target.dataset);
});

addEventListener("popstate", () => openStep(new URL(location.href).searchParams.get("step") ?? "", { push: false }));

bindKey("Escape", {
  group: gettext("Builder"),
  text: gettext("Go back from the form to the card"),
  when: (event) => panel.contains(event.target),
  act: () => focusCard(openedStep()),
  inFields: true,
});
