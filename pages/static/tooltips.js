// Texts of a table that find no room in their cell, whole, while the pointer is over them. Streamlit paints its tables on
// a canvas and cuts such texts without a mark; the component that painted them is asked for their positions.
const CANVAS = '[data-testid="data-grid-canvas"]';
const PADDING = 16; // of a cell, both sides together
const measure = document.createElement("canvas").getContext("2d");

let shown = null; // { box, cell }

function start() {
  if (window.esupportTooltips) return;
  window.esupportTooltips = true;
  window.esupportGrid = propsOf; // rows.js asks the same
  document.addEventListener("pointermove", moved, { passive: true });
  for (const kind of ["pointerdown", "keydown", "scroll"]) document.addEventListener(kind, hide, true);
}

function moved(event) {
  // What lies above the canvas and scrolls is what the pointer meets.
  const scroller = event.target.closest?.(".dvn-scroller");
  const canvas = scroller?.closest(".stDataFrame")?.querySelector(CANVAS);
  const found = canvas && cutTextAt(canvas, scroller, event.clientX, event.clientY);
  if (!found) return hide();
  if (shown?.cell === found.cell) return;
  hide();
  const box = document.createElement("div");
  box.className = "es-tooltip";
  box.setAttribute("role", "tooltip");
  box.textContent = found.text;
  box.style.colorScheme = getComputedStyle(canvas).colorScheme;
  document.body.append(box);
  const below = event.clientY + 18;
  box.style.top = `${below + box.offsetHeight > innerHeight ? Math.max(4, event.clientY - box.offsetHeight - 12) : below}px`;
  box.style.left = `${Math.max(4, Math.min(event.clientX, innerWidth - box.offsetWidth - 8))}px`;
  shown = { box, cell: found.cell };
}

function hide() {
  shown?.box.remove();
  shown = null;
}

function cutTextAt(canvas, scroller, clientX, clientY) {
  const grid = propsOf(canvas);
  if (!grid) return null;
  const from = canvas.getBoundingClientRect();
  const y = clientY - from.top - grid.headerHeight;
  const row = Math.floor((y + scroller.scrollTop) / grid.rowHeight);
  if (y < 0 || row < 0 || row >= grid.rows) return null;
  let left = clientX - from.left;
  const fixed = grid.columns.slice(0, grid.freezeColumns).reduce((sum, column) => sum + column.width, 0);
  if (left < fixed) return null;
  left += scroller.scrollLeft;
  const column = grid.columns.findIndex((one) => (left -= one.width) < 0);
  if (column < 0) return null;
  const cell = grid.getCellContent([column, row]);
  const text = [cell?.displayData, cell?.data].find((value) => typeof value === "string" && value !== "");
  if (!text) return null;
  measure.font = grid.theme?.baseFontFull ?? "13px sans-serif";
  const isCut = text.includes("\n") || measure.measureText(text).width > grid.columns[column].width - PADDING;
  return isCut ? { text, cell: `${column} ${row} ${text}` } : null;
}

// A private part of React and of the grid, of the versions that are pinned; without it there are no tooltips. React has
// two versions of everything and an element may know the older one: the table for screen readers tells which is drawn.
function propsOf(canvas) {
  const key = Object.keys(canvas).find((name) => name.startsWith("__reactFiber$"));
  const candidates = [];
  for (let fiber = canvas[key]; fiber; fiber = fiber.return) {
    for (const version of [fiber, fiber.alternate]) {
      const props = version?.memoizedProps;
      if (props?.getCellContent && Array.isArray(props.columns) && typeof props.rowHeight === "number") candidates.push(props);
    }
  }
  return candidates.find((props) => isDrawn(canvas, props)) ?? candidates[0] ?? null;
}

function isDrawn(canvas, props) {
  if (canvas.querySelector("table")?.ariaRowCount !== String(props.rows + 1)) return false;
  const cell = canvas.querySelector('td[id^="glide-cell-1-"]');
  if (!cell) return true;
  const content = props.getCellContent([0, Number(cell.id.split("-").pop())]);
  return [content?.displayData, content?.data].includes(cell.textContent);
}
