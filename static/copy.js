// Buttons that copy the text beside them. They are hidden without this script, or where the browser has no clipboard.

const DONE_MS = 2000;

async function copy(button) {
  const label = button.querySelector("span");
  await navigator.clipboard.writeText(button.parentElement.querySelector("pre").textContent);
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = "Copy"), DONE_MS);
}

for (const button of navigator.clipboard ? document.querySelectorAll("[data-copy]") : []) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
