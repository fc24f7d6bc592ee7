// Keeping the focus on the page: whoever works by keys must not be thrown back to its beginning.
//
// In: where the focus is. Out: the focus on what stands nearest, where its element went away, was hidden or locked.
// Not known here: what the elements are. Who leaves a field on purpose says where to go.

const STOPS = 'a[href], button, input, select, textarea, summary, [contenteditable], [tabindex]';

/** Watch the whole page until the signal. */
export function keepFocus(signal) {
  let around = [];

  document.addEventListener("focusin", ({ target }) => (around = withAncestors(target)), { signal });
  document.addEventListener(
    "focusout",
    ({ relatedTarget }) => {
      if (relatedTarget === null) requestAnimationFrame(look);
    },
    { signal },
  );

  function look() {
    const [lost, ...blocks] = around;
    if (document.activeElement !== document.body || lost === undefined || canFocus(lost)) return;
    for (const block of blocks) {
      if (block === document.body) return;
      const stop = nearest(block, lost);
      if (stop !== null) return stop.focus({ preventScroll: true });
    }
  }
}

/** Give the focus to an element, also to one that is no stop of the Tab order. */
export function focusOn(element) {
  if (!element.matches(STOPS)) element.tabIndex = -1;
  element.focus({ preventScroll: true });
}

/** Remember who has the focus; the answer gives it back, to `otherwise` where there was nobody or it went away. */
export function rememberFocus() {
  const had = document.activeElement;
  return (otherwise) => {
    if (had !== document.body && canFocus(had)) had.focus({ preventScroll: true });
    else focusOn(otherwise);
  };
}

function withAncestors(element) {
  const found = [];
  for (let one = element; one !== null; one = one.parentElement) found.push(one);
  return found;
}

function canFocus(element) {
  if (element.disabled || element.getClientRects().length === 0) return false;
  return getComputedStyle(element).visibility === "visible";
}

/** The stop of a block that comes next after an element, else the last one before it; null where there is none. */
function nearest(block, element) {
  if (!block.isConnected) return null;
  const stops = [...block.querySelectorAll(STOPS)].filter((one) => one !== element && canFocus(one));
  const isAfter = (one) => element.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING;
  return (element.isConnected ? stops.find(isAfter) : null) ?? stops.at(-1) ?? null;
}
