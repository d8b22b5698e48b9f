// What the run that is shown did in the open step: in the panel, fetched again when the step's mark changes.

import { showLastView } from "../value.js";
import { flow, openedStep, panel } from "./page.js";
import { request } from "./server.js";

let address = () => null;
let shown = ""; // which step of which run, and how far it was

// `source` gives the address of results, or null while no run is shown.
export function showResultOf(source) {
  address = source;
  new MutationObserver(() => place() || renewResult({ always: true })).observe(panel, { childList: true });
}

export async function renewResult({ always = false } = {}) {
  const url = address();
  if (!url) return;
  const card = openCard();
  url.searchParams.set("step", card ? card.dataset.step : "trigger");
  const state = `${url} ${card?.dataset.run} ${document.querySelector(".run-line").dataset.over}`;
  if (!always && state === shown && place()) return;
  shown = state;
  const answer = await request(url).catch(() => null);
  if (answer?.ok && shown === state) show(answer.page.body);
}

export function forgetResult() {
  shown = "";
  place()?.remove();
}

const place = () => panel.querySelector("#run-result");
const openCard = () => flow.querySelector(`.node[data-at="${CSS.escape(openedStep())}"]`);

function show(content) {
  const result = place() ?? addPlace();
  const opened = [...result.querySelectorAll("details[data-key][open]")].map((details) => details.dataset.key);
  result.replaceChildren(...content.childNodes);
  showLastView(result);
  for (const key of opened) result.querySelector(`details[data-key="${CSS.escape(key)}"]`)?.setAttribute("open", "");
}

function addPlace() {
  const added = document.createElement("section");
  added.id = "run-result";
  added.className = "run-result";
  const before = panel.querySelector("#tried");
  if (before) before.after(added);
  else panel.append(added);
  return added;
}
