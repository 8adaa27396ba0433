// What a page of ours does with keys and copies where Streamlit has no say in it. One for the page.
function start() {
  if (window.esupportHabits) return;
  window.esupportHabits = true;
  window.addEventListener("keydown", pressed, true);
  window.addEventListener("pointerdown", besideDialog, true);
  new MutationObserver(enterDialog).observe(document.body, { childList: true, subtree: true });
  document.addEventListener("input", noteTyping, true);
  document.addEventListener("copy", copied);
  document.addEventListener("click", clicked);
  // What is being typed would stay beside the results of the search that the browser goes back to.
  window.addEventListener("popstate", () => document.activeElement?.blur(), true);
}

const IDS = ".st-key-search_order_ids textarea";
const dialog = () => document.querySelector('[data-testid="stDialog"]');

// A dialog in which something was written closes by its own cross only, and its keys are not shortcuts of the page behind it.
function pressed(event) {
  if (event.target.closest?.("dialog")) return; // the list of keys
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
  } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.target.matches?.(IDS)) {
    // As in every other field; Shift makes a new line, and a pasted column keeps its own.
    swallow(event);
    const find = document.querySelector(".st-key-search_find button");
    find?.focus();
    find?.click();
  }
}

function besideDialog(event) {
  const open = dialog();
  if (!open || !isWritten(open)) return;
  const box = open.querySelector('[role="dialog"]') ?? open;
  const isBeside = open.contains(event.target) && !box.contains(event.target);
  if (isBeside) swallow(event);
}

// The first field of a dialog has the keyboard, once per dialog and never away from a field that somebody chose.
const entered = new WeakSet();

function enterDialog() {
  const open = dialog();
  if (!open || entered.has(open)) return;
  const field = open.querySelector("textarea, input[type=text], input[type=number], input[type=password]");
  if (!field || !field.checkVisibility()) return;
  entered.add(open);
  const active = document.activeElement;
  if (open.contains(active) && isField(active)) return;
  field.focus({ preventScroll: true });
  if (field.value) field.select?.();
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
