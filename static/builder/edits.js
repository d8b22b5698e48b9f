// Sends edits one at a time, each on the revision that the one before it made.

import { gettext } from "../texts.js";
import { boxVersions, drawingVersion } from "./drawing.js";
import { tellUnanswered } from "./messages.js";
import { openedStep, palette, revision, root } from "./page.js";
import { showParts } from "./parts.js";
import { request } from "./server.js";

let last = Promise.resolve();

export const allSent = () => last;

export function sendEdit(url, data) {
  const send = () => post(url, data).then(showParts);
  last = last
    .then(send)
    .catch(() => tellUnanswered(gettext("The server does not answer. What you typed is still here.")));
  return last;
}

function post(url, data) {
  data.set("revision", revision());
  data.set("known", boxVersions().join(" "));
  if (!data.has("step")) data.set("step", openedStep());
  const keepalive = !data.has("text"); // a body kept alive after the page is left may have 64 KiB at most
  return request(url, { method: "POST", body: data, headers: { "X-Part": drawingVersion() }, keepalive });
}

export function sendForm(form, submitter) {
  const url = submitter?.getAttribute("formaction") || form.action;
  return sendEdit(url, new FormData(form, submitter));
}

// Does to a step, or to several, what its menu could do, or moves it.
export function sendOperation(op, at, more = {}) {
  const data = new FormData(palette.querySelector("form"));
  for (const [name, value] of Object.entries({ op, step: openedStep(), ...more })) data.set(name, value);
  for (const step of [at].flat()) data.append("at", step);
  return sendEdit(root.dataset.edits, data);
}
