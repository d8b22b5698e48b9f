// Keeps the page of a running execution up to date: whenever something happens, the part that changes is fetched again.

const QUIET_MS = 250;
const POLL_MS = 2000;

const area = document.getElementById("progress");
let stream = null;
let timer = null;
let fetching = false;
let again = false;

const head = () => area.querySelector("[data-over]");
const isOver = () => head()?.dataset.over === "true";

function keepOpenDetails(fresh) {
  const known = new Map([...area.querySelectorAll("details[data-key]")].map((details) => [details.dataset.key, details.open]));
  for (const details of fresh.querySelectorAll("details[data-key]")) {
    if (known.has(details.dataset.key)) details.open = known.get(details.dataset.key);
  }
}

async function refresh() {
  if (fetching) {
    again = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(area.dataset.progress, { redirect: "error", signal: AbortSignal.timeout(10_000) });
    if (answer.ok) show(await answer.text());
  } catch {
    // The next event or poll tries again; what is shown stays.
  } finally {
    fetching = false;
  }
  if (isOver()) stop();
  else if (again) soon();
  again = false;
}

function show(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  keepOpenDetails(fresh);
  const focused = area.contains(document.activeElement) ? focusKey(document.activeElement) : null;
  area.replaceChildren(...fresh.childNodes);
  if (focused) focus(focused);
}

const focusKey = (element) => element.closest("details[data-key]")?.dataset.key;
const focus = (key) => area.querySelector(`details[data-key="${CSS.escape(key)}"] > summary`)?.focus({ preventScroll: true });

function soon(wait = QUIET_MS) {
  timer ??= setTimeout(() => {
    timer = null;
    refresh().then(() => {
      if (!isOver() && !streaming()) soon(POLL_MS);
    });
  }, wait);
}

const streaming = () => stream?.readyState === EventSource.OPEN;

function follow() {
  const after = head()?.dataset.cursor;
  const query = after ? `?lastEventId=${encodeURIComponent(after)}` : "";
  stream = new EventSource(area.dataset.live + query);
  for (const kind of ["log", "status"]) stream.addEventListener(kind, () => soon());
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
}

if (!isOver()) follow();
addEventListener("pagehide", stop);
