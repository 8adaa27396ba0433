// A link that downloads, and tells the page under which id, so that the page can show how far the download is.
// It works as a plain link before the page has heard anything, and when it never does.
export default function ({ data, parentElement, setTriggerValue }) {
  const link = parentElement.querySelector("a");
  link.querySelector("span").textContent = data.label;
  link.href = data.address;
  link.onclick = () => {
    const run = newId();
    link.href = data.address + (data.address.includes("?") ? "&" : "?") + "run=" + run;
    setTriggerValue("started", run);
  };
  const hint = link.querySelector("kbd");
  hint.hidden = !data.shortcut;
  hint.textContent = data.shortcut ?? "";
  if (!data.shortcut) return;
  link.setAttribute("aria-keyshortcuts", "Control+Shift+E");
  // Run again for new data: the listener before this one goes.
  parentElement.stopListening?.();
  const pressed = (event) => {
    if (event.ctrlKey && event.shiftKey && event.code === "KeyE" && !event.repeat) {
      event.preventDefault();
      link.click();
    }
  };
  document.addEventListener("keydown", pressed);
  parentElement.stopListening = () => document.removeEventListener("keydown", pressed);
  return () => parentElement.stopListening();
}

// crypto.randomUUID is missing where the portal is reached without TLS.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
