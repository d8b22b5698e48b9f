// Menus close when something else is clicked.

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.more[open], details.publish[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
