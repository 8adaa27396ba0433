// What a page of ours does with keys and copies where Streamlit has no say in it. One for the page.
function start() {
  if (window.esupportHabits) return;
  window.esupportHabits = true;
  window.addEventListener("keydown", pressed, true);
  window.addEventListener("pointerdown", besideDialog, true);
  window.addEventListener("pointerdown", noteHeader, true);
  window.addEventListener("focusin", focused, true);
  window.addEventListener("keydown", enterTable, true);
  document.addEventListener("input", noteTyping, true);
  document.addEventListener("copy", copied);
  document.addEventListener("click", clicked);
  // What is being typed would stay beside the results of the search that the browser goes back to.
  window.addEventListener("popstate", () => document.activeElement?.blur(), true);
}

const dialog = () => document.querySelector('[data-testid="stDialog"]');

// A dialog in which something was written closes by its own cross only, and its keys are not shortcuts of the page behind it.
function pressed(event) {
  const open = dialog();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && open) {
    swallow(event);
    const send = open.querySelector('[data-testid="stFormSubmitButton"] button, [data-testid="stBaseButton-primary"]');
    send?.focus(); // the field that had the cursor sends its text when it loses it
    send?.click();
  } else if (event.key === "Escape" && open && isWritten(open)) {
    swallow(event);
  } else if (event.key === "Escape" && !open && isField(event.target)) {
    // Not a word to the shortcut that closes the order, but the field's own list or calendar may close.
    if (!document.querySelector('.es-calendar, [role="listbox"]')) swallow(event);
  }
}

function besideDialog(event) {
  const open = dialog();
  if (!open || !isWritten(open)) return;
  const box = open.querySelector('[role="dialog"]') ?? open;
  const isBeside = open.contains(event.target) && !box.contains(event.target);
  if (isBeside) swallow(event);
}

// A table that gets the focus would choose its first cell, and with it open an order: when the Tab key passes through, and
// when a header is clicked to sort. So it learns of its focus from a click into a row, or from a key that is meant for it.
const HEADER = 32; // pixels, as order_table.py has it
let onHeader = false;
let pointerDown = false;

const table = (element) => element?.closest?.('[data-testid="stDataFrame"]') && element.matches("canvas") && element;

function noteHeader(event) {
  pointerDown = true;
  const canvas = event.target.closest?.('[data-testid="stDataFrame"]')?.querySelector("canvas");
  onHeader = Boolean(canvas) && event.clientY - canvas.getBoundingClientRect().top < HEADER;
  setTimeout(() => { pointerDown = onHeader = false; }, 400);
}

function focused(event) {
  if (event.isTrusted && table(event.target) && (onHeader || !pointerDown)) event.stopImmediatePropagation();
}

function enterTable(event) {
  const canvas = table(event.target);
  const isMeant = ["ArrowDown", "ArrowUp", "ArrowLeft", "ArrowRight", "Enter", " "].includes(event.key);
  if (canvas && isMeant) canvas.dispatchEvent(new FocusEvent("focusin", { bubbles: true }));
}

function isField(element) {
  return Boolean(element?.matches?.('input, textarea, select, [contenteditable="true"]'));
}

// What a dialog has filled in by itself is not written by anybody.
const touched = new WeakSet();

function noteTyping(event) {
  if (event.isTrusted) touched.add(event.target);
}

function isWritten(open) {
  const fields = [...open.querySelectorAll("textarea, input[type=text]")];
  return fields.some((field) => touched.has(field) && field.value.trim() !== "");
}

function swallow(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

// An activation code is copied as it is stored, whatever the browser makes of its spaces and lines.
function copied(event) {
  const selection = document.getSelection();
  const inside = (node) => (node?.nodeType === 1 ? node : node?.parentElement)?.closest(".es-copy");
  const code = selection?.rangeCount ? inside(selection.getRangeAt(0).commonAncestorContainer) : null;
  if (!code || selection.toString().length < code.textContent.trim().length) return;
  event.clipboardData.setData("text/plain", code.textContent);
  event.preventDefault();
}

function clicked(event) {
  // The button beside a value copies it as a click on the value itself does.
  const beside = event.target.closest?.(".es-copy-button");
  const code = beside ? beside.parentElement.querySelector(".es-copy") : event.target.closest?.(".es-copy");
  if (!code) return;
  document.getSelection()?.selectAllChildren(code);
  if (!document.execCommand("copy")) return;
  code.classList.add("es-copied");
  setTimeout(() => code.classList.remove("es-copied"), 1500);
}
