// The data of a step: searched by name and value; long lists are opened further.

import { onClick, panel } from "./page.js";
import { request } from "./server.js";

const TREE = "#step-data .tree";

export function offerData() {
  const search = panel.querySelector("[data-find-data]");
  if (search) search.hidden = false;
  showButtons(panel);
}

function showButtons(within) {
  for (const button of within.querySelectorAll("[data-more]")) button.hidden = false;
}

panel.addEventListener("input", (event) => {
  if (event.target.matches("#find-data")) find(event.target.value.trim().toLowerCase());
});

// What matches is shown with all around it, and with all inside it.
function find(words) {
  const found = new Set();
  for (const entry of panel.querySelectorAll(`${TREE} li`)) {
    entry.hidden = Boolean(words);
    if (words && nameOf(entry).includes(words)) reveal(entry, found);
  }
  for (const entry of found) entry.hidden = false;
  panel.querySelector("[data-nothing-found]").hidden = !words || found.size > 0;
}

function reveal(entry, found) {
  found.add(entry);
  for (const inner of entry.querySelectorAll("li")) found.add(inner);
  for (let around = entry.parentElement.closest("li"); around; around = around.parentElement.closest("li")) {
    found.add(around);
    around.querySelector("details").open = true;
  }
}

function nameOf(entry) {
  const texts = entry.querySelectorAll(":scope > .pick > span, :scope > details > summary > span");
  return [...texts].map(({ textContent }) => textContent.toLowerCase()).join(" ");
}

onClick("[data-more]", async (button) => {
  const url = new URL(button.closest(TREE).dataset.moreUrl, location.href);
  url.searchParams.set("path", button.dataset.more);
  url.searchParams.set("start", button.dataset.start);
  button.disabled = true;
  const answer = await request(url).catch(() => null);
  button.disabled = false;
  const list = answer?.ok && answer.page.querySelector("ul");
  if (!list || !button.isConnected) return;
  showButtons(list);
  const first = list.querySelector("button, summary");
  button.closest("li").replaceWith(...list.children);
  first?.focus();
});

offerData();
