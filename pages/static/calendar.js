// The calendar below a field for a day. One for the page: it opens below whichever field has the cursor.
// Arrow down leads from the field into it; the arrows choose a day, Page up and down a month, Enter takes it.
const FIELD = 'input[placeholder="DD/MM/YYYY"]';
const MONTHS = "January February March April May June July August September October November December".split(" ");
const WEEK = "Mo Tu We Th Fr Sa Su".split(" ");
const FIRST = 1970;
const LAST = 2200;

let field = null; // whose calendar is open
let shown = null; // the day that the calendar has in its middle
let box = null;

function start() {
  if (window.esupportCalendar) return;
  window.esupportCalendar = true;
  document.addEventListener("focusin", (event) => {
    if (event.target.matches?.(FIELD)) open(event.target);
    else if (!box?.contains(event.target)) close();
  });
  document.addEventListener("pointerdown", (event) => {
    if (event.target.matches?.(FIELD)) open(event.target);
    else if (!box?.contains(event.target)) close();
  });
  document.addEventListener("input", (event) => {
    if (event.target === field) draw(dayOf(field.value) ?? shown);
  });
  document.addEventListener("keydown", pressed, true);
  window.addEventListener("resize", place);
  document.addEventListener("scroll", place, true);
}

function open(input) {
  if (field === input && box) return;
  close();
  field = input;
  box = document.createElement("div");
  box.className = "es-calendar";
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", "Calendar");
  // The cursor stays in the field, where one may go on typing.
  box.addEventListener("pointerdown", (event) => event.preventDefault());
  box.addEventListener("mousedown", (event) => event.preventDefault());
  box.addEventListener("click", clicked);
  document.body.append(box);
  // Popovers, dialogs and the app itself each have a colour scheme of their own; this one is beside them.
  box.style.colorScheme = getComputedStyle(field).colorScheme;
  draw(dayOf(field.value) ?? today());
}

function close() {
  box?.remove();
  box = field = null;
}

function clicked(event) {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.day) take(button.dataset.day, true);
  else draw(moved(Number(button.dataset.months)));
}

function pressed(event) {
  if (!box || !field) return;
  const inGrid = box.contains(event.target);
  const key = event.key;
  if (event.target !== field && !inGrid) return;
  if (key === "Escape") {
    stop(event);
    const input = field;
    close();
    if (inGrid) focusQuietly(input);
  } else if (!inGrid && key === "ArrowDown") {
    stop(event);
    focusDay();
  } else if (!inGrid && key === "Enter") {
    close(); // the form is sent
  } else if (inGrid && key in STEPS) {
    stop(event);
    draw(STEPS[key](shown));
    focusDay();
  } else if (inGrid && (key === "Enter" || key === " ") && event.target.dataset.day) {
    stop(event);
    take(event.target.dataset.day, false);
  }
}

const STEPS = {
  ArrowLeft: (day) => inside(plus(day, -1)),
  ArrowRight: (day) => inside(plus(day, 1)),
  ArrowUp: (day) => inside(plus(day, -7)),
  ArrowDown: (day) => inside(plus(day, 7)),
  PageUp: () => moved(-1),
  PageDown: () => moved(1),
};

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}

// React hears of a value only by the setter of the element's own class.
function take(text, byPointer) {
  const input = field;
  close();
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(input, text);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  if (byPointer) input.blur(); // outside of a form that is what sends it
  else focusQuietly(input);
}

function focusQuietly(input) {
  input.focus();
  close();
}

function focusDay() {
  box.querySelector('[tabindex="0"]')?.focus();
}

function draw(day) {
  if (!box) return;
  shown = day;
  const year = day.getUTCFullYear();
  const month = day.getUTCMonth();
  const chosen = dayOf(field.value);
  const start = new Date(Date.UTC(year, month, 1));
  let at = plus(start, -((start.getUTCDay() + 6) % 7));
  let rows = "";
  do {
    rows += '<tr role="row">';
    for (let n = 0; n < 7; n++, at = plus(at, 1)) rows += cell(at, month, chosen);
    rows += "</tr>";
  } while (at.getUTCMonth() === month);
  const step = (months, words, sign) =>
    `<button type="button" tabindex="-1" data-months="${months}" aria-label="${words}">${sign}</button>`;
  box.innerHTML =
    `<div class="es-calendar-head">${step(-12, "Year before", "«")}${step(-1, "Month before", "‹")}` +
    `<strong aria-live="polite">${MONTHS[month]} ${year}</strong>` +
    `${step(1, "Month after", "›")}${step(12, "Year after", "»")}</div>` +
    `<table role="grid"><thead><tr>${WEEK.map((name) => `<th>${name}</th>`).join("")}</tr></thead><tbody>${rows}</tbody></table>`;
  place();
}

function cell(at, month, chosen) {
  const classes = [at.getUTCMonth() === month ? "" : "es-other", same(at, today()) ? "es-today" : ""].join(" ");
  const isShown = same(at, shown);
  return (
    `<td role="gridcell" aria-selected="${Boolean(chosen && same(at, chosen))}">` +
    `<button type="button" class="${classes}" tabindex="${isShown ? 0 : -1}" data-day="${textOf(at)}" ` +
    `aria-label="${at.getUTCDate()} ${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}">${at.getUTCDate()}</button></td>`
  );
}

function place() {
  if (!box || !field) return;
  const from = field.getBoundingClientRect();
  if (!field.isConnected || from.width === 0) return close();
  const below = from.bottom + 4;
  const top = below + box.offsetHeight > innerHeight ? Math.max(4, from.top - box.offsetHeight - 4) : below;
  box.style.top = `${top}px`;
  box.style.left = `${Math.max(4, Math.min(from.left, innerWidth - box.offsetWidth - 4))}px`;
}

// Days are counted in UTC, where each has 24 hours.
function today() {
  const now = new Date();
  return new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()));
}

function plus(day, days) {
  return new Date(day.getTime() + days * 86400000);
}

function moved(months) {
  const year = shown.getUTCFullYear();
  const month = shown.getUTCMonth() + months;
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return inside(new Date(Date.UTC(year, month, Math.min(shown.getUTCDate(), last))));
}

function inside(day) {
  return day.getUTCFullYear() < FIRST - 1 || day.getUTCFullYear() > LAST + 1 ? shown : day;
}

function same(one, other) {
  return one.getTime() === other.getTime();
}

function textOf(day) {
  const two = (number) => String(number).padStart(2, "0");
  return `${two(day.getUTCDate())}/${two(day.getUTCMonth() + 1)}/${day.getUTCFullYear()}`;
}

function dayOf(text) {
  const parts = text.trim().match(/^(\d{1,2})[-/. ]+(\d{1,2})[-/. ]+(\d{4})$/);
  const turned = text.trim().match(/^(\d{4})[-/. ]+(\d{1,2})[-/. ]+(\d{1,2})$/);
  const [day, month, year] = (parts?.slice(1) ?? turned?.slice(1).reverse() ?? []).map(Number);
  if (!day || year < FIRST || year > LAST) return null;
  const found = new Date(Date.UTC(year, month - 1, day));
  return found.getUTCDate() === day && found.getUTCMonth() === month - 1 ? found : null;
}
