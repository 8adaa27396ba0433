// Names of buttons for screen readers: what a button stands beside is part of its name (pages/components/orders/buttons.py).
function start() {
  if (window.esupportNames) return;
  window.esupportNames = true;
  new MutationObserver(later).observe(document.body, { childList: true, subtree: true });
  later();
}

let isDue = false;

function later() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    document.querySelectorAll("[data-button]").forEach(apply);
  });
}

function apply(mark) {
  const button = document.querySelector(`.st-key-${CSS.escape(mark.dataset.button)} button`);
  if (button && button.getAttribute("aria-label") !== mark.dataset.name) button.setAttribute("aria-label", mark.dataset.name);
}
