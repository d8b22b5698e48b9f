// Keeps the page of a running execution up to date: whenever something happens, the parts that change are fetched again.

import { followExecution } from "./following.js";
import { gettext } from "./texts.js";

const area = document.getElementById("progress");
const parts = [...document.querySelectorAll("[data-part]")];
const writing = document.getElementById("writing");
const drafts = new Map(); // by frame and step; by `each` and step, the newest of all frames

const isOver = () => area.querySelector("[data-over]")?.dataset.over === "true";
const isAwaited = () => area.querySelector("[data-awaited]") !== null;

async function renew(part) {
  const answer = await fetch(part.dataset.part, { redirect: "error", signal: AbortSignal.timeout(10_000) });
  if (answer.ok) show(part, await answer.text());
}

function show(part, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  const focused = part.contains(document.activeElement) ? document.activeElement : null;
  const caret = focused && [focused.selectionStart, focused.selectionEnd, focused.selectionDirection];
  const key = focused?.closest("details[data-key]")?.dataset.key;
  keepOpenDetails(part, fresh);
  part.replaceChildren(...fresh.childNodes);
  showDrafts();
  if (part.contains(focused)) {
    focused.focus({ preventScroll: true });
    if (focused.matches("textarea")) focused.setSelectionRange(...caret);
  } else if (key)
    part.querySelector(`details[data-key="${CSS.escape(key)}"] > summary`)?.focus({ preventScroll: true });
}

function keepOpenDetails(part, fresh) {
  const known = new Map(
    [...part.querySelectorAll("details[data-key]")].map((details) => [details.dataset.key, details]),
  );
  for (const details of fresh.querySelectorAll("details[data-key]")) {
    const before = known.get(details.dataset.key);
    if (!before) continue;
    if (isInUse(before)) details.replaceWith(before);
    else details.open = before.open;
  }
}

function isInUse(details) {
  const isFilledIn = [...details.querySelectorAll("input, textarea")].some(
    (field) => field.value !== field.defaultValue || field.checked !== field.defaultChecked,
  );
  return isFilledIn || (details.open && (details.dataset.loaded || details.querySelector("form, .value")));
}

// The text that a step is writing grows under it, until its output takes the place. It is announced once, when it begins.
function write({ data }) {
  const draft = JSON.parse(data);
  const key = `${draft.iteration}-${draft.stepIndex}`;
  if (!drafts.has(key)) writing.textContent = gettext("A step is writing its answer.");
  drafts.set(key, draft.text);
  drafts.set(`each-${draft.stepIndex}`, draft.text);
  showDrafts();
}

function showDrafts() {
  for (const place of area.querySelectorAll("[data-draft]")) {
    const text = drafts.get(place.dataset.draft);
    if (text === undefined || isOver()) continue;
    place.hidden = false;
    place.textContent = text;
    place.scrollTop = place.scrollHeight;
  }
}

const stop = followExecution({
  stream: area.dataset.live,
  renew: () => Promise.allSettled(parts.map(renew)),
  isOver,
  isAwaited,
  events: { draft: write },
});
addEventListener("pagehide", stop);
