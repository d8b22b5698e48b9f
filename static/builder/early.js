// What somebody does before the page's scripts have run is done once they have: until then the browser would post a form
// and leave the page, and nobody would save what is typed. Where the scripts cannot be had, the browser does it after all.
// It is a plain script in the head, since modules wait for the whole page.

{
  const TYPES = ["click", "submit", "input", "change"];
  const early = [];

  // Whoever clicks again while nothing happens means it once.
  function keep(event) {
    const target = event.type === "click" ? event.target.closest("a[href], button") : event.target;
    if (!target || opensElsewhere(target, event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!early.some((one) => one.target === target && one.event.type === event.type)) early.push({ target, event });
  }

  function opensElsewhere(target, { ctrlKey, metaKey, shiftKey }) {
    return Boolean(target.target) || ctrlKey || metaKey || shiftKey;
  }

  function doAgain({ target, event }) {
    if (!target.isConnected) return;
    if (event.type === "submit") target.requestSubmit(event.submitter);
    else target.dispatchEvent(new event.constructor(event.type, event));
  }

  function finish() {
    for (const type of TYPES) removeEventListener(type, keep, { capture: true });
    for (const one of early) doAgain(one);
  }

  for (const type of TYPES) addEventListener(type, keep, { capture: true });
  document.addEventListener("DOMContentLoaded", () => setTimeout(finish)); // modules have run by then, or have failed
}
