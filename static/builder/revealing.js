// Brings a card into view, whatever hides it.

import { flow } from "./page.js";

export function reveal(card) {
  for (let around = card.parentElement; around && around !== flow; around = around.parentElement) {
    if (around.matches("details")) around.open = true;
  }
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  card.querySelector(".box").scrollIntoView({ behavior, block: "center" });
}
