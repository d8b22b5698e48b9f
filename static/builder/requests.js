// Sends test requests to the webhook that is being built, and fills them in from a command line of curl.

import { gettext } from "../texts.js";
import { saveNow } from "./autosave.js";
import { sendForm } from "./edits.js";
import { onClick, panel } from "./page.js";
import { showRun } from "./run.js";
import { request } from "./server.js";

const CURL = /^\s*(?:\$\s+)?curl(?:\.exe)?\s/i;

panel.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-request]")) return;
  event.preventDefault();
  if (event.submitter?.hasAttribute("formaction")) sendForm(event.target, event.submitter);
  else send(event.target);
});

async function send(form) {
  const shown = panel.querySelector("#called");
  const data = new FormData(form);
  shown.textContent = gettext("Sending …");
  await saveNow();
  const nodes = await post(form.action, data);
  if (!shown.isConnected) return;
  shown.replaceChildren(...nodes);
  const run = shown.querySelector("[data-show-run]");
  if (run) showRun(run.dataset.showRun);
}

onClick("[data-show-run]", (link) => showRun(link.dataset.showRun));

panel.addEventListener("paste", async (event) => {
  const form = event.target.closest("[data-request]");
  const text = event.clipboardData.getData("text/plain");
  if (!form || event.target.name !== "body" || !CURL.test(text)) return;
  event.preventDefault();
  const data = new FormData(form);
  data.set("body", text);
  showRead(form, await post(form.dataset.curl, data));
});

// Either the fields of the request, or what is not understood of the command.
function showRead(form, nodes) {
  const isRead = nodes.some((node) => node.matches?.(".field"));
  panel.querySelector("#called").replaceChildren(...(isRead ? [] : nodes));
  if (!isRead) return;
  form.querySelector("#request-fields").replaceChildren(...nodes);
  form.querySelector("#request-body").focus();
}

async function post(url, body) {
  const answer = await request(url, { method: "POST", body, headers: { "X-Part": "yes" } }).catch(() => null);
  return answer ? [...answer.page.body.childNodes] : [gettext("The server does not answer.")];
}
