// Buttons that copy the text beside them, also those that come into the page later. A page without TLS has no clipboard:
// there the text is selected and copied as by hand.

const DONE_MS = 2000;

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text.textContent);
  } catch {
    getSelection().selectAllChildren(text);
    document.execCommand("copy");
  }
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector("span");
  await copy(button.parentElement.querySelector("pre"));
  label.textContent = "Copied";
  setTimeout(() => (label.textContent = "Copy"), DONE_MS);
});
