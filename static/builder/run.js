// The run that is shown on the flow: its bar above, its marks on the cards, and its data in the panel.

import { followExecution } from "../following.js";
import { gettext } from "../texts.js";
import { saveNow } from "./autosave.js";
import { drawingVersion } from "./drawing.js";
import { tellUnanswered } from "./messages.js";
import { focusFlaw } from "./notes.js";
import { flow, onClick, revision, root } from "./page.js";
import { showParts } from "./parts.js";
import { clearMarks, showMarks, titlesOfGone } from "./run-marks.js";
import { forgetResult, renewResult, showResultOf } from "./run-result.js";
import { request } from "./server.js";
import { showTab } from "./tabs.js";

const place = document.getElementById("run");
const KEPT = `flowforge.run.${root.dataset.page}`; // loading the page again shows the same run
const rounds = new Map(); // the positions of the runs of loops that are shown, by step index
let stop = () => {};

const line = () => place.querySelector(".run-line");

export function addressOfRun(path = "") {
  const url = new URL(line().dataset.url, location.href);
  url.pathname += path;
  for (const [index, position] of rounds) url.searchParams.append("round", `${index}:${position}`);
  return url;
}

// Posts a form that starts a run; the answer is the run.
export async function startRun(form, submitter) {
  await saveNow();
  const body = new FormData(form, submitter);
  if (body.has("revision")) body.set("revision", revision());
  const options = { method: "POST", body, headers: { "X-Part": drawingVersion() } };
  const answer = await request(form.action, options).catch(() => null);
  if (!answer) return tellUnanswered();
  if (!answer.ok) return showRefusal(answer);
  showTab("output");
  document.getElementById("tried")?.replaceChildren();
  begin(answer.page);
}

// What is to be mended first is opened with it.
function showRefusal(answer) {
  showParts(answer);
  if (answer.page.querySelector("[data-part=panel]")) focusFlaw();
}

export async function showRun(address) {
  const answer = await request(address).catch(() => null);
  if (answer?.ok) begin(answer.page);
  else sessionStorage.removeItem(KEPT);
}

function begin(page) {
  stop();
  rounds.clear();
  show(page);
  sessionStorage.setItem(KEPT, line().dataset.url);
  stop = followExecution({
    stream: line().dataset.stream,
    renew,
    isOver: () => line()?.dataset.over !== "false",
    isAwaited: () => "awaited" in (line()?.dataset ?? {}),
  });
}

async function renew() {
  const shown = line()?.dataset.url;
  if (!shown) return;
  const { ok, page } = await request(addressOfRun());
  if (ok && line()?.dataset.url === shown) show(page);
}

function show(page) {
  place.replaceChildren(page.querySelector(".run-line"));
  place.hidden = false;
  showMarks([...page.querySelectorAll("[data-run-marks] > li")]);
  nameGone();
  renewResult();
}

function nameGone() {
  const told = place.querySelector("[data-run-gone]");
  if (!told) return;
  const gone = titlesOfGone();
  told.hidden = !gone.length;
  told.textContent = gettext("Steps of this run that are gone: %(steps)s", { steps: gone.join(", ") });
}

function close() {
  stop();
  sessionStorage.removeItem(KEPT);
  place.replaceChildren();
  place.hidden = true;
  clearMarks();
  forgetResult();
}

async function cancel(form) {
  await request(form.action, { method: "POST", body: new FormData(form) }).catch(() => null);
  await renew();
}

async function choose(index, position) {
  rounds.set(index, position);
  await renew();
  renewResult({ always: true });
}

flow.addEventListener("flowdrawn", nameGone);
onClick("[data-run-close]", close);
onClick("[data-round]", (button) => choose(button.dataset.round, Number(button.dataset.to)));
root.addEventListener("change", ({ target }) => {
  if (target.matches("input[data-round]") && target.validity.valid) choose(target.dataset.round, target.value - 1);
});

document.addEventListener("submit", (event) => {
  const handle = event.target.matches("[data-run]") ? startRun : event.target.matches("[data-run-cancel]") && cancel;
  if (!handle) return;
  event.preventDefault();
  handle(event.target, event.submitter);
});

showResultOf(() => (line() ? addressOfRun("/result") : null));
const first = place.dataset.shown ?? sessionStorage.getItem(KEPT);
if (first) showRun(first);
