// Opens steps in the panel; the browser's history goes along.

import { saveNow } from "./autosave.js";
import { refuse } from "./messages.js";
import { cardLink, onClick, openedStep, panel, root, scrollOnPhone } from "./page.js";
import { showParts } from "./parts.js";
import { request } from "./server.js";

async function openStep(step, { push = true } = {}) {
  await saveNow();
  const url = new URL(root.dataset.page, location.href);
  if (step) url.searchParams.set("step", step);
  const answer = await request(url, { headers: { "X-Part": "yes" } }).catch(() => null);
  if (!answer) return refuse("The server does not answer.");
  showParts(answer);
  if (push) history.pushState({}, "", url);
  scrollOnPhone(panel, "start");
}

function focusCard(step) {
  const card = cardLink(step);
  scrollOnPhone(card, "center");
  card?.focus({ preventScroll: true });
}

onClick("[data-open]", async (target) => {
  target.closest("details.publish")?.removeAttribute("open");
  const closed = target.closest("#panel .panel-head") && openedStep();
  await openStep(target.dataset.open);
  if (closed) focusCard(closed);
});

addEventListener("popstate", () => openStep(new URL(location.href).searchParams.get("step") ?? "", { push: false }));
