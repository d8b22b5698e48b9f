// Fetches the content of a `details[data-source]` when it is first opened.

import { showLastView } from "./value.js";

document.addEventListener("toggle", (event) => load(event.target), true);

async function load(details) {
  if (!details.open || !details.dataset?.source || details.dataset.loaded) return;
  details.dataset.loaded = "true";
  const answer = await fetch(details.dataset.source, { redirect: "error", signal: AbortSignal.timeout(10_000) }).catch(
    () => null,
  );
  if (!answer?.ok) {
    delete details.dataset.loaded; // what was written stays there to read; opening it again tries again
    return;
  }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").body;
  const content = details.querySelector("[data-content]");
  if (!content) return; // it was drawn anew meanwhile
  content.replaceChildren(...fresh.childNodes);
  showLastView(content);
}
