// What is typed into a field of the search form that offers a list counts when the field is left, as in any other field.
// Streamlit's own lists forget it unless Enter was pressed. One for the page.
const CHOICE = '.st-key-search_more [data-testid="stSelectbox"]';

function start() {
  if (window.esupportChoices) return;
  window.esupportChoices = true;
  document.addEventListener(
    "keydown",
    (event) => {
      if (event.key === "Tab" && event.isTrusted) choose(event.target);
    },
    true,
  );
  document.addEventListener(
    "pointerdown",
    (event) => {
      const typing = document.activeElement;
      const field = typing?.closest?.(CHOICE);
      if (field && !field.contains(event.target) && !event.target.closest?.('[data-baseweb="popover"]')) choose(typing);
    },
    true,
  );
}

// As if Enter was pressed. The list reads the number of the key, which an event made by a script lacks.
function choose(input) {
  if (!input.matches?.(`${CHOICE} input`) || !input.value.trim()) return;
  const enter = new KeyboardEvent("keydown", { key: "Enter", code: "Enter", bubbles: true, cancelable: true });
  Object.defineProperty(enter, "keyCode", { get: () => 13 });
  input.dispatchEvent(enter);
}
