// Fields that change while they are filled in: a map gets another row.

import { root } from "./page.js";

root.addEventListener("input", (event) => {
  const pair = event.target.closest(".pair");
  const isLast = pair && !pair.nextElementSibling?.matches(".pair");
  if (isLast && pair.querySelector("input").value) addPair(pair);
});

function addPair(pair) {
  const added = pair.cloneNode(true);
  for (const shown of added.querySelectorAll(".preview, .expression-marks")) shown.remove();
  for (const field of added.querySelectorAll("input, textarea")) {
    field.value = "";
    field.ariaLabel = field.ariaLabel.replace(/\d+$/, (number) => Number(number) + 1);
  }
  pair.after(added);
}
