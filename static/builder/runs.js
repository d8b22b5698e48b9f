// The drawer of the latest runs, of which one is chosen to be shown on the flow.

import { gettext } from "../texts.js";
import { showRun } from "./run.js";
import { request } from "./server.js";

const drawer = document.getElementById("runs");
const content = drawer.querySelector("[data-content]");

async function open() {
  content.textContent = gettext("Loading …");
  drawer.showModal();
  const answer = await request(drawer.dataset.source).catch(() => null);
  content.replaceChildren(...(answer?.ok ? answer.page.body.childNodes : [gettext("The server does not answer.")]));
}

const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey);

document.addEventListener("click", (event) => {
  if (!isPlain(event) || !event.target.closest("[data-runs]")) return;
  event.preventDefault();
  open();
});

drawer.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-show-run]");
  if (event.target !== drawer && !chosen && !event.target.closest("[data-close-runs]")) return;
  if (chosen && !isPlain(event)) return;
  event.preventDefault();
  drawer.close();
  if (chosen) showRun(chosen.dataset.showRun);
});
