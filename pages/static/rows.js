// The keyboard in a table: the arrows go through the rows, Enter opens one, the space bar ticks it. Streamlit's own
// table chooses, and with it opens, whatever its cursor passes; so it hears of a row only when one is meant.
const HEADER = 32; // pixels, as row_table.py has it
const MARKERS = 17; // the middle of the column with ticks
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };

let row = null; // { canvas, index, text }: where the cursor is
let frame = null;
let voice = null;
let pointerDown = false;
let onHeader = false;

function start() {
  if (window.esupportRows) return;
  window.esupportRows = true;
  window.addEventListener("pointerdown", notePointer, true);
  window.addEventListener("focusin", focused, true);
  window.addEventListener("focusout", () => hide(), true);
  window.addEventListener("keydown", pressed, true);
  window.addEventListener("resize", draw);
  document.addEventListener("scroll", draw, true);
  new MutationObserver(speakTimes).observe(document.body, { childList: true, subtree: true, characterData: true });
  speakTimes();
  window.esupportRow = (text) => [0, 150, 500].forEach((wait) => setTimeout(follow, wait, text));
}

// The table's canvas, or a cell of the invisible table in it, which has the focus once a cell was chosen.
const canvasOf = (element) => element?.closest?.('[data-testid="stDataFrame"] canvas') ?? null;

function notePointer(event) {
  if (!event.isTrusted) return;
  pointerDown = true;
  const canvas = event.target.closest?.('[data-testid="stDataFrame"]')?.querySelector("canvas");
  onHeader = Boolean(canvas) && event.clientY - canvas.getBoundingClientRect().top < HEADER;
  setTimeout(() => { pointerDown = onHeader = false; }, 400);
}

// A table that learns of its focus chooses its first cell: when the Tab key passes through, and when a header is clicked.
function focused(event) {
  const canvas = canvasOf(event.target);
  if (!canvas) return;
  if (event.target !== canvas) return;
  if (event.isTrusted && (onHeader || !pointerDown)) event.stopImmediatePropagation();
  if (!pointerDown && Date.now() > until) go(canvas, row?.text ? indexOf(canvas, row.text) : 0);
  else draw();
}

function pressed(event) {
  const canvas = canvasOf(event.target);
  if (!canvas || event.ctrlKey || event.metaKey || event.altKey) return;
  const index = row?.canvas === canvas ? row.index : 0;
  if (event.key in STEPS) {
    go(canvas, index + STEPS[event.key]);
  } else if (event.key === "Escape") {
    const close = document.querySelector(".st-key-order_close button");
    if (!close) return;
    close.click();
    stay(row?.text);
  } else if (event.key === "Enter" || event.key === " ") {
    click(canvas, index, event.key === " ");
  } else if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") {
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}

function go(canvas, wanted) {
  const grid = window.esupportGrid(canvas);
  if (!grid?.rows) return;
  const index = Math.max(0, Math.min(wanted, grid.rows - 1));
  row = { canvas, index, text: textAt(grid, index, 0) };
  const scroller = canvas.closest(".stDataFrame").querySelector(".dvn-scroller");
  const top = index * grid.rowHeight;
  const room = scroller.clientHeight - grid.headerHeight;
  if (top < scroller.scrollTop) scroller.scrollTop = top;
  else if (top + grid.rowHeight > scroller.scrollTop + room) scroller.scrollTop = top + grid.rowHeight - room;
  draw();
  const texts = grid.columns.map((_, column) => textAt(grid, index, column)).filter(Boolean).slice(0, 4);
  say(`Row ${index + 1} of ${grid.rows}: ${texts.join(", ")}`);
}

function draw() {
  const box = row?.canvas.isConnected && canvasOf(document.activeElement) === row.canvas ? boxOf(row.canvas, row.index) : null;
  if (!box) return hide();
  if (!frame) {
    frame = document.createElement("div");
    frame.className = "es-row-cursor";
    frame.setAttribute("aria-hidden", "true");
    document.body.append(frame);
  }
  frame.style.colorScheme = getComputedStyle(row.canvas).colorScheme;
  Object.assign(frame.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${box.width}px`, height: `${box.height}px` });
}

function hide() {
  frame?.remove();
  frame = null;
}

function boxOf(canvas, index) {
  const grid = window.esupportGrid(canvas);
  const scroller = canvas.closest(".stDataFrame")?.querySelector(".dvn-scroller");
  if (!grid || !scroller || index >= grid.rows) return null;
  const from = scroller.getBoundingClientRect();
  const top = from.top + grid.headerHeight + index * grid.rowHeight - scroller.scrollTop;
  if (top < from.top + grid.headerHeight - grid.rowHeight / 2 || top > from.bottom - 4) return null;
  return { left: from.left, top, width: scroller.clientWidth, height: Math.min(grid.rowHeight, from.bottom - top) };
}

// The table's own way from a click to a row, sorted rows included.
function click(canvas, index, isTick) {
  go(canvas, index);
  const box = boxOf(canvas, index);
  if (!box) return;
  const place = {
    bubbles: true, cancelable: true, composed: true, view: window, button: 0, detail: 1, pointerId: 1, pointerType: "mouse",
    isPrimary: true, clientX: box.left + (isTick ? MARKERS : MARKERS * 4), clientY: box.top + box.height / 2,
  };
  const scroller = canvas.closest(".stDataFrame").querySelector(".dvn-scroller");
  const target = document.elementFromPoint(place.clientX, place.clientY) ?? scroller;
  const inside = scroller.parentElement.contains(target) ? target : scroller;
  const send = (name) => {
    const buttons = name === "down" ? 1 : 0;
    inside.dispatchEvent(new PointerEvent(`pointer${name}`, { ...place, buttons }));
    inside.dispatchEvent(new MouseEvent(`mouse${name}`, { ...place, buttons }));
  };
  send("move");
  setTimeout(() => { // the table has to have drawn the pointer in the row
    send("down");
    send("up");
    inside.dispatchEvent(new MouseEvent("click", place));
  }, 40);
  stay(row.text);
}

// The rows may be drawn anew around the one that was opened: the keyboard stays in them, on the table itself, since
// the table's own idea of a current cell is that of the rows before.
let until = 0;

function stay(text) {
  until = Date.now() + 3000;
  const look = () => {
    const active = document.activeElement;
    const isLost = !active || active === document.body;
    const canvas = document.querySelector('[class*="st-key-results_"] [data-testid="stDataFrame"] canvas');
    if (canvas && (isLost || (active !== canvas && canvas.contains(active)))) canvas.focus({ preventScroll: true });
    if (canvas && canvasOf(document.activeElement) === canvas) follow(text);
    if (Date.now() < until && (isLost || canvasOf(active))) setTimeout(look, 100);
  };
  setTimeout(look, 100);
}

// The cursor goes with the order that is open, wherever its row is now.
function follow(text) {
  const canvas = row?.canvas.isConnected ? row.canvas : canvasOf(document.activeElement);
  if (!canvas || !text) return;
  row = { canvas, index: indexOf(canvas, text), text };
  draw();
}

function indexOf(canvas, text) {
  const grid = window.esupportGrid(canvas);
  for (let index = 0; grid && index < grid.rows; index++) if (textAt(grid, index, 0) === text) return index;
  return 0;
}

function textAt(grid, index, column) {
  const cell = grid.getCellContent([column, index]);
  const data = cell?.displayData ?? cell?.data?.displayDate ?? (Array.isArray(cell?.data?.values) ? cell.data.values.join(" ") : cell?.data);
  return typeof data === "string" ? data : "";
}

// Screen readers get a table's times as it holds them; people read them as the page writes times.
const TIME = /^(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d):\d\d(\.\d+)?$/;
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

let waits = null;

function speakTimes() {
  waits ??= setTimeout(() => {
    waits = null;
    for (const cell of document.querySelectorAll(".stDataFrame canvas td")) {
      const [, year, month, day, clock] = cell.textContent.match(TIME) ?? [];
      // The text node stays: React compares with what it wrote last, and looks no further.
      if (year) cell.firstChild.data = `${Number(day)} ${MONTHS[month - 1]} ${year}, ${clock}`;
    }
  }, 150);
}

function say(text) {
  if (!voice) {
    voice = document.createElement("div");
    voice.className = "es-voice";
    voice.setAttribute("role", "status");
    document.body.append(voice);
  }
  voice.textContent = text;
}
