// Takes the last edit back, as the button in the bar does.

import { bar } from "./page.js";

export function undo() {
  const button = bar.querySelector("[data-undo] button");
  if (button && !button.disabled) button.form.requestSubmit(button);
}
