// The few ways in which this page touches the document. Text goes in as text, never as markup.
//
// In: names, attributes, values. Out: elements. Not known here: calls, knowledge, events.

/** An element. Properties named `on…` are listeners; null, undefined and false are left out. */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick") element.addEventListener("click", (event) => isLocked(element) || value(event));
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A field for searching. Chromium empties one at Esc, also where Esc belongs to an input method that composes. */
export function searchField(properties) {
  const field = h("input", { type: "search", autocomplete: "off", ...properties });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && (event.isComposing || event.keyCode === 229)) event.preventDefault();
  });
  return field;
}

/** Change a text only where it differs, so that selections and screen readers are left in peace. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Set, or with null take away, an attribute; only where it differs. */
export function setAttribute(element, name, value) {
  if (value === null || value === false) element.removeAttribute(name);
  else if (element.getAttribute(name) !== String(value)) element.setAttribute(name, value);
}

/** Lock a button for the time being, or open it again. It keeps the focus, which one that is disabled loses. */
export function lock(button, isToRest) {
  setAttribute(button, "aria-disabled", isToRest ? "true" : null);
}

export function isLocked(button) {
  return button.getAttribute("aria-disabled") === "true";
}

/** Keep the children of an element in step with a list. Rows stay the same elements as long as their key
 * is there; `update` is called only for items that are not the very same object as before.
 * @param {{key: (item) => string, create: (item) => Element, update: (row: Element, item) => void}} how
 * @returns {(items: Array<object>) => void} */
export function keyedRows(parent, { key, create, update }) {
  let rows = new Map();
  return (items) => {
    const kept = new Map();
    for (const item of items) {
      const name = key(item);
      const row = rows.get(name) ?? { element: create(item), item: null };
      kept.set(name, row);
      if (row.item === item) continue;
      row.item = item;
      update(row.element, item);
    }
    for (const [name, { element }] of rows) if (!kept.has(name)) element.remove();
    let next = parent.firstElementChild;
    for (const { element } of kept.values()) {
      if (element === next) next = next.nextElementSibling;
      else parent.insertBefore(element, next);
    }
    rows = kept;
  };
}

/** Put text on the clipboard; also on pages that are not served over HTTPS, where the modern way is closed.
 * @returns {Promise<boolean>} whether it is there */
export async function copyText(text) {
  if (navigator.clipboard && globalThis.isSecureContext) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const had = document.activeElement;
  const field = h("textarea", { class: "offscreen", readonly: true });
  field.value = text;
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  had?.focus({ preventScroll: true });
  return isCopied;
}

/** Put a file into the browser's downloads. */
export function saveFile(blob, name) {
  const address = URL.createObjectURL(blob);
  const link = h("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
