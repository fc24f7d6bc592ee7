// Moving through the transcript by keys: one stop for Tab, arrows for lines and for the words in a line.
//
// In: key presses in a list of rows. Out: focus, and clicks on what has it. Not known here: what a click does.

const PARTS = ".corrected, .piece";

/** Make the rows of `list` one stop of the Tab order. `onRow` is called for Enter on a row itself. */
export function roveThrough(list, onRow) {
  let chosen = null;

  list.addEventListener("keydown", (event) => {
    const row = event.target.closest(".line-row");
    if (row === null || row.dataset.editing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("button")) return;
    if (!act(event.key, row, event.target)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("focusin", (event) => {
    const row = event.target.closest(".line-row");
    if (row !== null) settle((chosen = row));
  });
  list.addEventListener("focusout", ({ relatedTarget }) => {
    if (relatedTarget !== null && !list.contains(relatedTarget)) chosen = null;
  });

  function act(key, row, target) {
    if (key === "ArrowUp") return to(row.previousElementSibling);
    if (key === "ArrowDown") return to(row.nextElementSibling);
    if (key === "ArrowRight" || key === "ArrowLeft") return alongside(row, target, key === "ArrowRight" ? 1 : -1);
    if (key !== "Enter" && key !== " ") return false;
    if (target === row) onRow(row);
    else target.click();
    return true;
  }

  function to(row) {
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
    return true;
  }

  function alongside(row, target, step) {
    const stops = [row, ...row.querySelectorAll(PARTS)];
    stops[Math.min(stops.length - 1, Math.max(0, stops.indexOf(target) + step))].focus({ preventScroll: true });
    return true;
  }

  function settle(row) {
    for (const one of list.querySelectorAll('.line-row[tabindex="0"]')) if (one !== row) one.tabIndex = -1;
    row.tabIndex = 0;
  }

  /** The row that keys are about: the one that was chosen, else the last one. */
  function current() {
    return chosen?.isConnected ? chosen : list.lastElementChild;
  }

  /** Tab stops at that row, also after rows came and went. */
  function keepStop() {
    if (list.lastElementChild) settle(current());
  }

  return { current, keepStop };
}
