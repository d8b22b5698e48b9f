// Keeps the page of a running execution up to date: whenever something happens, the parts that change are fetched again.
// Where the event stream is blocked, it asks every few seconds instead.

import { gettext } from "./texts.js";

const QUIET_MS = 250;
const POLL_MS = 2000;
const AWAITED_MS = 300; // until the event that was just accepted has become an execution

const area = document.getElementById("progress");
const parts = [...document.querySelectorAll("[data-part]")];
const writing = document.getElementById("writing");
const drafts = new Map(); // by frame and step; by `each` and step, the newest of all frames
let stream = null;
let timer = null;
let fetching = false;
let again = false;

const isOver = () => area.querySelector("[data-over]")?.dataset.over === "true";
const isAwaited = () => area.querySelector("[data-awaited]") !== null;
const streaming = () => stream?.readyState === EventSource.OPEN;

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  await Promise.allSettled(parts.map(renew)); // what failed is tried again with the next event or poll
  fetching = false;
  if (isOver()) stop();
  else if (again) soon();
  again = false;
}

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
  return isFilledIn || (details.open && (details.dataset.loaded || details.querySelector("form")));
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

function soon(wait = QUIET_MS) {
  timer ??= setTimeout(() => {
    timer = null;
    refresh().then(() => {
      if (isOver() || streaming()) return;
      if (stream) soon(POLL_MS);
      else follow();
    });
  }, wait);
}

function follow() {
  if (isAwaited()) return soon(AWAITED_MS);
  stream = new EventSource(area.dataset.live);
  for (const kind of ["log", "status"]) stream.addEventListener(kind, () => soon());
  stream.addEventListener("draft", write);
  stream.addEventListener("end", () => {
    stream.close();
    soon();
  });
  stream.addEventListener("error", () => soon(POLL_MS)); // until it is back, or for good
}

function stop() {
  stream?.close();
  clearTimeout(timer);
  timer = null;
  refreshOnce();
}

let refreshed = false;
function refreshOnce() {
  if (refreshed || !isOver()) return;
  refreshed = true; // the last lines of the log come a moment behind the end
  setTimeout(() => Promise.allSettled(parts.map(renew)), 2 * QUIET_MS);
}

if (!isOver()) follow();
addEventListener("pagehide", stop);
