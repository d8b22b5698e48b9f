// The parts of the builder's page, which stay while what is inside them changes.

export const root = document.getElementById("builder");
export const palette = document.getElementById("palette");
export const panel = document.getElementById("panel");
export const flow = document.getElementById("flow");
export const bar = document.getElementById("bar");
export const guide = document.getElementById("guide");

const state = () => bar.querySelector("[data-revision]").dataset;
export const revision = () => state().revision;
export const openedStep = () => state().step;

export const cards = () => [...flow.querySelectorAll(".node[data-at]")];
// Without those in collapsed blocks.
export const shownCards = () => cards().filter((card) => !card.closest(".folded > .flow-lanes"));
export const cardOf = (element) => element?.closest("#flow .node[data-at]") ?? null;
export const cardLink = (step) => flow.querySelector(`[data-open="${CSS.escape(step)}"]`);

// A link clicked with a modifier opens in a tab or window of its own, as everywhere.
export function onClick(selector, handle) {
  root.addEventListener("click", (event) => {
    const target = event.target.closest("a, button");
    if (!target?.matches(selector) || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    handle(target, event);
  });
}

// A button beside a field that only a browser with scripts has. `mark`: the data attribute by which it is found.
export function fieldButton(mark, text) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "quiet small-button";
  button.dataset[mark] = "";
  button.textContent = text;
  return button;
}

// On a phone the panel stands below the flow.
export function scrollOnPhone(element, block) {
  if (!matchMedia("(max-width: 60rem)").matches) return;
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  element?.scrollIntoView({ behavior, block });
}

// Calls back, at most once a frame, when cards came, went or changed their state.
export function onFlowChange(act) {
  let frame = 0;
  const soon = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(act);
  };
  const watched = { childList: true, subtree: true, attributeFilter: ["aria-current", "data-state"] };
  new MutationObserver(soon).observe(flow, watched);
  soon();
}
