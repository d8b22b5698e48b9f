// Brings a card into view, whatever hides it.

import { fold } from "./folding.js";
import { flow } from "./page.js";

export function reveal(card) {
  for (let around = card.parentElement; around && around !== flow; around = around.parentElement) {
    if (around.matches("details")) around.open = true;
    if (around.matches(".folded")) fold(around, false);
  }
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  card.querySelector(".box").scrollIntoView({ behavior, block: "center" });
}
