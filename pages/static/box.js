// The search box has the keyboard when its page opens, and takes a pasted column of numbers.
function start() {
  if (window.esupportBox) return;
  window.esupportBox = true;
  let last = null;
  const look = () => {
    const box = document.querySelector(".st-key-search_box input");
    if (box === last) return;
    last = box;
    if (box && isFree() && !new URLSearchParams(location.search).has("order")) box.focus({ preventScroll: true });
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
  document.addEventListener("paste", pasted, true);
}

// Nobody is typing, no dialog is open: the focus is nowhere, or on the link of the menu that led here.
function isFree() {
  const active = document.activeElement;
  return !document.querySelector('[data-testid="stDialog"]') && (!active || active === document.body || active.matches("a"));
}

// A field of one line would run the lines of a column together.
function pasted(event) {
  if (!event.target.matches?.(".st-key-search_box input")) return;
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (!/[\r\n]/.test(text.trim())) return;
  event.preventDefault();
  document.execCommand("insertText", false, text.trim().replace(/\s*[\r\n]+\s*/g, ", "));
}
