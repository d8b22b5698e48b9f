// The builder's page: sends its forms as edits, one after another, and shows the parts of the page that come back.
// Without this script the same forms are posted and the page is loaded again.

const TYPING_MS = 500;
const PREVIEW_MS = 350;
const TOAST_MS = 6000;
const ANSWER_MS = 40_000;

const root = document.getElementById("builder");
const palette = document.getElementById("palette");
const panel = document.getElementById("panel");
const flow = document.getElementById("flow");
const bar = document.getElementById("bar");
const guide = document.getElementById("guide");
const refused = document.getElementById("refused");
const said = document.getElementById("said");

const state = () => bar.querySelector("[data-revision]").dataset;
const opened = () => state().step;
const inField = (target) => target?.closest?.("input, textarea, select");

// -- Edits: one at a time, each on the revision the one before it made

let edits = Promise.resolve();
let timer = null;
let waiting = null; // the form whose changes are not sent yet

function edit(url, data) {
  edits = edits.then(() => post(url, data)).catch(() => refuse("The server does not answer. What you typed is still here."));
  return edits;
}

async function post(url, data) {
  data.set("revision", state().revision);
  const options = { method: "POST", body: data, headers: { "X-Part": "yes" }, redirect: "follow", keepalive: !data.has("text") };
  const answer = await fetch(url, { ...options, signal: AbortSignal.timeout(ANSWER_MS) });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = fresh.querySelectorAll("[data-part]");
  if (!parts.length) return refuse("You may have been signed out, or the server is restarting. Reload the page.");
  if (answer.ok) refused.hidden = true;
  for (const part of parts) SHOW[part.dataset.part]?.(part);
}

const SHOW = {
  bar: (part) => {
    const publishing = bar.querySelector("details.publish[open]");
    const note = publishing?.querySelector("[name=note]").value;
    swap(bar, part);
    const again = publishing && bar.querySelector("details.publish");
    if (again) {
      again.open = true;
      again.querySelector("[name=note]").value = note;
    }
    address();
  },
  guide: (part) => {
    guide.replaceChildren(...part.childNodes);
    globalThis.htmx?.process(guide); // it looks for what happens elsewhere
  },
  flow: (part) => swap(flow, part),
  panel: (part) => {
    swap(panel, part);
    globalThis.htmx?.process(panel); // listening for a test call
    drawExtras();
  },
  notes: showNotes,
  trigger: (part) => panel.querySelector("#trigger")?.replaceChildren(...part.childNodes),
  said: (part) => toast(part.textContent),
  refused: (part) => {
    refused.replaceChildren(...part.childNodes);
    refused.hidden = false;
    refused.scrollIntoView({ block: "nearest" });
  },
};

// Loading the page again opens what is open now.
function address() {
  const url = new URL(location.href);
  if ((url.searchParams.get("step") ?? "") === opened()) return;
  url.searchParams.set("step", opened());
  history.replaceState({}, "", url);
}

function refuse(text) {
  refused.textContent = text;
  refused.hidden = false;
}

function swap(element, part) {
  for (const fallback of part.querySelectorAll("noscript")) fallback.remove(); // parsed apart, they count as content
  const active = element.contains(document.activeElement) ? document.activeElement : null;
  const place = active && { id: active.id, open: active.dataset.open, at: active.selectionStart, value: active.value };
  element.replaceChildren(...part.childNodes);
  if (!place) return;
  const again = (place.id && document.getElementById(place.id)) || flow.querySelector(`[data-open="${CSS.escape(place.open ?? opened())}"]`);
  if (again && "value" in again && place.id === "workflow-name") again.value = place.value; // what is being typed
  again?.focus({ preventScroll: true });
  if (place.at != null && again?.setSelectionRange) again.setSelectionRange(place.at, place.at);
}

function showNotes(part) {
  const found = new Map([...part.children].map((note) => [note.dataset.for, note.textContent]));
  for (const note of panel.querySelectorAll("[data-note]")) {
    const text = found.get(note.dataset.note) ?? "";
    note.textContent = text;
    const field = fieldOf(note);
    if (note.dataset.note && field) field.toggleAttribute("aria-invalid", Boolean(text)) && field.setAttribute("aria-invalid", "true");
  }
}

const fieldOf = (note) => (note.previousElementSibling?.closest(".condition") ?? note.parentElement).querySelector("input, textarea, select");

// Of a step that was just added: what it cannot do without.
function focusMissing() {
  const note = panel.querySelector("[data-field] [data-note]:not(:empty)");
  if (note) fieldOf(note)?.focus();
}

function toast(text) {
  const shown = document.createElement("p");
  shown.className = "toast";
  shown.dataset.kind = "done";
  shown.append(text);
  if (text === "Deleted.") {
    const button = document.createElement("button");
    button.className = "small-button";
    button.textContent = "Undo";
    button.addEventListener("click", () => undo());
    shown.append(" ", button);
  }
  said.replaceChildren(shown);
  setTimeout(() => shown.remove(), TOAST_MS);
}

function submitted(form, submitter) {
  const data = new FormData(form, submitter);
  return edit(submitter?.getAttribute("formaction") || form.action, data);
}

function undo() {
  const form = bar.querySelector("[data-undo]");
  if (form && !form.querySelector("button").disabled) submitted(form);
}

function send(op, at, more = {}) {
  const data = new FormData(palette.querySelector("form"));
  for (const [name, value] of Object.entries({ op, at, step: opened(), ...more })) data.set(name, value);
  return edit(root.dataset.edits, data);
}

// -- Saving while somebody types

function flush() {
  clearTimeout(timer);
  timer = null;
  const form = waiting;
  waiting = null;
  if (form?.isConnected) edit(form.action, new FormData(form));
  return edits;
}

function changed(target, soon) {
  const form = target.closest("form[data-autosave]");
  if (!form) return;
  if (waiting && waiting !== form) flush();
  waiting = form;
  clearTimeout(timer);
  timer = setTimeout(flush, soon ? 0 : TYPING_MS);
}

root.addEventListener("input", (event) => {
  growMap(event.target);
  changed(event.target, false);
  preview(event.target);
});
root.addEventListener("change", (event) => changed(event.target, true));
addEventListener("visibilitychange", () => document.hidden && flush());
addEventListener("pagehide", flush);

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (form.matches("[data-edit], [data-autosave]")) {
    event.preventDefault();
    if (event.submitter?.hasAttribute("formaction") || form.matches("[data-edit]")) {
      if (form.matches("[data-edit]")) flush();
      waiting = null;
      form.closest("details.more")?.removeAttribute("open");
      if (form.closest("dialog")) palette.close();
      await submitted(form, event.submitter);
      if (form.closest("dialog")) {
        focusMissing();
        showPanel();
      }
    } else {
      waiting = form;
      flush();
    }
  } else if (form.matches("[data-try]")) {
    event.preventDefault();
    tryStep(form, event.submitter);
  } else if (form.matches("[data-after-saving]") && !form.dataset.saved) {
    event.preventDefault();
    await flush();
    const again = [...bar.querySelectorAll("form")].find((other) => other.action === form.action) ?? form;
    for (const field of form.elements) if (field.name && field.name !== "revision" && again.elements[field.name]) again.elements[field.name].value = field.value;
    again.dataset.saved = "true";
    again.submit();
  }
});

// -- Opening a step

async function open(step, { push = true } = {}) {
  await flush();
  const url = new URL(root.dataset.page, location.href);
  if (step) url.searchParams.set("step", step);
  const answer = await fetch(url, { headers: { "X-Part": "yes" }, signal: AbortSignal.timeout(ANSWER_MS) });
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of fresh.querySelectorAll("[data-part]")) SHOW[part.dataset.part]?.(part);
  if (push) history.pushState({}, "", url);
  showPanel();
}

// On a phone the panel stands below the flow.
function scrollTo(element, block) {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (matchMedia("(max-width: 60rem)").matches) element?.scrollIntoView({ behavior, block });
}

function showPanel() {
  scrollTo(panel, "start");
}

function showCard(at) {
  const card = flow.querySelector(`[data-open="${CSS.escape(at)}"]`);
  scrollTo(card, "center");
  card?.focus({ preventScroll: true });
}

addEventListener("popstate", () => open(new URL(location.href).searchParams.get("step") ?? "", { push: false }));

root.addEventListener("click", (event) => {
  const target = event.target.closest("a, button");
  if (!target || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (target.dataset.open !== undefined) {
    event.preventDefault();
    target.closest("details.publish")?.removeAttribute("open");
    const closed = target.closest("#panel .panel-head") && opened();
    open(target.dataset.open).then(() => closed && showCard(closed));
  } else if (target.matches("[data-add]")) {
    event.preventDefault();
    const { into, position } = target.closest("[data-into]").dataset;
    offer(into, position);
  } else if (target.dataset.pick !== undefined) {
    event.preventDefault();
    pick(target.dataset.pick);
  } else if (target.matches("[data-write]")) {
    writeExpression(target);
  }
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.more[open], details.publish[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// -- The palette

const search = palette.querySelector("[data-search]");
const offered = () => [...palette.querySelectorAll(".choices li:not([hidden]) button")];

function offer(into, position) {
  const form = palette.querySelector("form");
  form.elements.into.value = into;
  form.elements.position.value = position;
  search.value = "";
  filter();
  palette.showModal();
  search.focus();
}

function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of palette.querySelectorAll(".choices li")) item.hidden = !words.every((word) => item.dataset.words.includes(word));
  for (const group of palette.querySelectorAll("section")) group.hidden = !group.querySelector("li:not([hidden])");
  palette.querySelector("[data-nothing]").hidden = offered().length > 0;
}

// A word in a title says more than one in a help text, and that more than a part of one.
function best(found) {
  const wanted = search.value.trim().toLowerCase();
  const rank = (button) => {
    const title = button.querySelector("strong").textContent.toLowerCase();
    if (title.includes(wanted)) return title.startsWith(wanted) ? 0 : 1;
    return button.closest("li").dataset.words.split(" ").includes(wanted) ? 2 : 3;
  };
  return found.reduce((one, other) => (one && rank(one) <= rank(other) ? one : other), null);
}

search.hidden = false;
search.addEventListener("input", filter);
const closing = palette.querySelector("[data-close]");
closing.hidden = false;
closing.addEventListener("click", () => palette.close());
palette.addEventListener("click", (event) => event.target === palette && palette.close());
palette.addEventListener("keydown", (event) => {
  const every = offered();
  const here = every.indexOf(document.activeElement);
  if (event.key === "ArrowDown") every[Math.min(here + 1, every.length - 1)]?.focus();
  else if (event.key === "ArrowUp") (here > 0 ? every[here - 1] : search).focus();
  else if (event.key === "Enter" && document.activeElement === search) best(every)?.click();
  else return;
  event.preventDefault();
});
if (palette.open) palette.close(); // it stood open for those without this script

// -- Keyboard

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !inField(event.target)) {
    event.preventDefault();
    undo();
    return;
  }
  const at = event.target.closest?.("#flow .node[data-at]")?.dataset.at;
  if (!at || inField(event.target)) return;
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    send(event.key === "ArrowUp" ? "up" : "down", at, { step: at }).then(() => flow.querySelector(".node.opened [data-open]")?.focus());
  } else if (event.key === "Delete") {
    event.preventDefault();
    send("delete", at);
  }
});

// -- Dragging

let dragged = null;

flow.addEventListener("dragstart", (event) => {
  dragged = event.target.closest(".node[data-at]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.at);
  flow.classList.add("dragging");
});

flow.addEventListener("dragover", (event) => {
  const slot = slotNear(event);
  for (const other of flow.querySelectorAll(".slot.target")) if (other !== slot) other.classList.remove("target");
  if (!slot) return;
  event.preventDefault();
  slot.classList.add("target");
});

flow.addEventListener("drop", (event) => {
  const slot = slotNear(event);
  if (!slot) return;
  event.preventDefault();
  send("move", dragged.dataset.at, { into: slot.dataset.into, position: slot.dataset.position });
});

flow.addEventListener("dragend", () => {
  flow.classList.remove("dragging");
  for (const slot of flow.querySelectorAll(".slot.target")) slot.classList.remove("target");
  dragged = null;
});

function slotNear(event) {
  if (!dragged) return null;
  let slot = event.target.closest(".slot");
  const card = event.target.closest(".node[data-at]");
  if (!slot && card) {
    const box = card.querySelector(".box").getBoundingClientRect();
    slot = event.clientY < box.top + box.height / 2 ? card.previousElementSibling : card.nextElementSibling;
  }
  return slot && !dragged.contains(slot) ? slot : null;
}

// -- Data: picking, previews

let lastField = null;
panel.addEventListener("focusin", (event) => {
  if (event.target.matches("[data-expression], [data-path]")) lastField = event.target;
  preview(event.target);
});

function pick(path) {
  const empty = [...panel.querySelectorAll("[data-path], [data-field] [data-expression]")].find((field) => !field.value);
  const field = lastField?.isConnected ? lastField : empty ?? panel.querySelector("[data-expression]");
  if (!field) return;
  field.focus();
  if (field.matches("[data-path]")) field.value = path;
  else {
    const at = field.selectionStart ?? field.value.length;
    const before = field.value.slice(0, at);
    const inside = before.lastIndexOf("{{") > before.lastIndexOf("}}");
    field.setRangeText(inside ? path : `{{ ${path} }}`, at, field.selectionEnd ?? at, "end");
  }
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

let previewTimer = null;
function preview(field) {
  if (!field.matches?.("[data-expression]")) return;
  const form = field.closest("[data-preview]");
  let shown = field.nextElementSibling;
  if (!field.value.includes("{{")) return shown?.matches(".preview") && shown.remove();
  clearTimeout(previewTimer);
  previewTimer = setTimeout(async () => {
    const data = new FormData();
    data.set("csrf_token", form.elements.csrf_token.value);
    data.set("at", form.elements.at.value);
    data.set("text", field.value);
    const answer = await fetch(form.dataset.preview, { method: "POST", body: data, signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);
    if (!answer?.ok || !field.isConnected) return;
    if (!shown?.matches(".preview")) {
      shown = document.createElement("output");
      shown.className = "preview";
      field.after(shown);
    }
    shown.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
  }, PREVIEW_MS);
}

async function tryStep(form, submitter) {
  const shown = panel.querySelector("#tried");
  const data = new FormData(form, submitter);
  shown.textContent = "Trying …";
  await flush();
  const answer = await fetch(form.action, { method: "POST", body: data, signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);
  if (!shown.isConnected) return;
  if (!answer?.ok) shown.textContent = "The server does not answer.";
  else shown.replaceChildren(...new DOMParser().parseFromString(await answer.text(), "text/html").body.childNodes);
  shown.scrollIntoView({ block: "nearest" });
}

// -- Fields: another row for a map, an expression in place of a choice

function growMap(field) {
  const pair = field.closest(".pair");
  if (!pair || pair.nextElementSibling?.matches(".pair") || !pair.querySelector("input").value) return;
  const more = pair.cloneNode(true);
  for (const one of more.querySelectorAll("input, textarea")) {
    one.value = "";
    one.ariaLabel = one.ariaLabel.replace(/\d+$/, (number) => Number(number) + 1);
  }
  more.querySelector(".preview")?.remove();
  pair.after(more);
}

function drawExtras() {
  for (const select of panel.querySelectorAll("[data-preview] [data-field]:not([data-field$='/connection']) > select")) {
    if (select.nextElementSibling?.matches("[data-write]")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet small-button";
    button.dataset.write = "";
    button.textContent = "Write an expression";
    select.after(button);
  }
}

function writeExpression(button) {
  const select = button.previousElementSibling;
  const field = document.createElement("input");
  for (const name of ["id", "name", "aria-describedby"]) if (select.hasAttribute(name)) field.setAttribute(name, select.getAttribute(name));
  field.dataset.expression = "";
  field.autocomplete = "off";
  field.value = "{{  }}";
  select.replaceWith(field);
  button.remove();
  field.focus();
  field.setSelectionRange(3, 3);
}

drawExtras();
