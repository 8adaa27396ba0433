// Keys for the whole page: / leads to the search, j and k to the next and the previous order, ? shows the list. Each is
// a single character, so they can be switched off (WCAG 2.1.4), and none works in a field, a dialog or with a modifier.
const OFF = "esupport-keys-off";
const LIST = [
  ["/", "Go to the search"],
  ["↓ ↑", "Through the rows of a table that has the focus"],
  ["Enter", "Find, in a field; open the order, in a row"],
  ["Space", "Tick the row"],
  ["j", "Next order; at the end of a page the first of the next page"],
  ["k", "Previous order"],
  ["Esc", "Close the order, a dialog or a list"],
  ["Ctrl + Enter", "Find; in a dialog, its main button"],
  ["Shift + Enter", "A new line in Order IDs"],
  ["Ctrl + Shift + E", "Export CSV"],
  ["?", "This list"],
];

function start() {
  if (window.esupportKeys) return;
  window.esupportKeys = true;
  window.addEventListener("keydown", pressed);
}

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
  if (!["/", "?", "j", "k"].includes(event.key) || isBusy(event.target)) return;
  if (event.key !== "?" && localStorage.getItem(OFF)) return;
  event.preventDefault();
  if (event.key === "/") goToSearch();
  else if (event.key === "?") showList();
  else window.esupportOrders?.(event.key === "j" ? "next" : "previous");
}

// Somebody types, or something in front of the page has the keyboard.
function isBusy(target) {
  const inField = target.closest?.('input, textarea, select, [contenteditable="true"], [role="listbox"], [role="menu"], [role="combobox"]');
  return Boolean(inField ?? document.querySelector('[data-testid="stDialog"], [data-testid="stPopoverBody"], .es-calendar, dialog[open]'));
}

function goToSearch() {
  const box = document.querySelector(".st-key-search_box input");
  if (box) {
    box.focus();
    box.select();
  } else {
    document.querySelector('[data-testid="stTopNavLink"]')?.click(); // Orders, whose box takes the focus
  }
}

function showList() {
  const list = document.createElement("dialog");
  list.className = "es-keys";
  list.setAttribute("aria-labelledby", "es-keys-title");
  const rows = LIST.map(([keys, what]) => `<dt>${keys.split(" ").map((key) => (key === "+" ? "+" : `<kbd>${key}</kbd>`)).join(" ")}</dt><dd>${what}</dd>`);
  list.innerHTML =
    `<h2 id="es-keys-title">Keyboard</h2><dl>${rows.join("")}</dl>` +
    '<label><input type="checkbox"> Use the keys <kbd>/</kbd> <kbd>j</kbd> <kbd>k</kbd> in this browser</label>' +
    '<button type="button" autofocus>Close</button>';
  const tick = list.querySelector("input");
  tick.checked = !localStorage.getItem(OFF);
  tick.onchange = () => {
    if (tick.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  };
  list.querySelector("button").onclick = () => list.close();
  list.onclick = (event) => {
    if (event.target === list) list.close(); // beside it
  };
  const before = document.activeElement;
  list.onclose = () => {
    list.remove();
    before?.focus?.();
  };
  // The page behind it has a shortcut for Esc.
  list.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(list);
  list.style.colorScheme = getComputedStyle(document.querySelector(".stApp")).colorScheme;
  list.showModal();
}
