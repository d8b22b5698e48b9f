// The view in which somebody has looked at a value last is the one in which the next values are shown.

const LAST_VIEW = "flowforge.value-view";

document.addEventListener("change", ({ target }) => {
  if (target.closest(".value-choice")) sessionStorage.setItem(LAST_VIEW, target.value);
});

export function showLastView(within) {
  const view = sessionStorage.getItem(LAST_VIEW);
  if (!view) return;
  for (const choice of within.querySelectorAll(`.value-choice input[value="${CSS.escape(view)}"]`))
    choice.checked = true;
}

showLastView(document);
