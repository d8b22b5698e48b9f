// F6 goes from one part of the page to the next: the bar, and what is marked as `data-region`, or else the whole content.
// A part that a tab hides is shown.

import { gettext } from "../texts.js";
import { bindKey } from "./keys.js";

const FOCUSABLE = "a[href], button, input, select, textarea, summary, [tabindex='0']";
const lastIn = new WeakMap(); // the element that had the focus in a region

document.addEventListener("focusin", ({ target }) => lastIn.set(regionOf(target), target));

const regionOf = (element) => element.closest("[data-region], .bar, main") ?? document.body;
const isShown = (element) => element.checkVisibility({ visibilityProperty: true });
const tabOf = (region) => region.id && document.querySelector(`[role=tab][aria-controls="${region.id}"]`);
const isReachable = (region) => isShown(region) || Boolean(tabOf(region) && isShown(tabOf(region)));

function regions() {
  const main = document.querySelector("main");
  const marked = [...main.querySelectorAll("[data-region]")].filter(isReachable);
  const innermost = marked.filter((region) => !marked.some((other) => other !== region && region.contains(other)));
  return [document.querySelector(".bar"), ...(innermost.length ? innermost : [main])];
}

function go(by) {
  const all = regions();
  const from = regionOf(document.activeElement);
  const here = all.findIndex((region) => from.contains(region));
  for (let step = 1; step <= all.length; step++) {
    const next = all.at((Math.max(here, by < 0 ? 0 : -1) + by * step + all.length) % all.length);
    if (enter(next)) return;
  }
}

// Where one was in the region; else what is current there, or the first that takes the focus.
function enter(region) {
  if (!isShown(region)) tabOf(region).click();
  const last = lastIn.get(region);
  const inside = [...region.querySelectorAll(FOCUSABLE)].filter((one) => regionOf(one) === region && takesFocus(one));
  const current = inside.find((one) => one.hasAttribute("aria-current"));
  const target = last?.isConnected && isShown(last) ? last : (current ?? inside[0]);
  target?.focus();
  return Boolean(target);
}

const takesFocus = (element) => !element.disabled && element.tabIndex >= 0 && isShown(element);

bindKey("F6", { text: gettext("Go to the next part of the page"), act: () => go(1), inFields: true });
bindKey("Shift+F6", { text: gettext("Go to the previous part of the page"), act: () => go(-1), inFields: true });
