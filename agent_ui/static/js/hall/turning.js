// Which part of a list is shown where it is longer than its panel.
//
// In: a list, how much fits, which turn it is. Out: what is shown now. Not known here: the document, time.

/** How long one part of a list stays. */
export const TURN_S = 12;

/** @template T
 * @param {Array<T>} items
 * @param {number} fits at least 1
 * @param {number|null} turn counts up; null where nothing may move: then the first part stays
 * @returns {{shown: Array<T>, page: number, pages: number, first: number, others: number}} `page` and `first`
 *   count from 0; `others` are not in sight */
export function partOf(items, fits, turn) {
  const pages = Math.max(1, Math.ceil(items.length / fits));
  const page = turn === null ? 0 : turn % pages;
  const first = page * fits;
  const shown = items.slice(first, first + fits);
  return { shown, page, pages, first, others: items.length - shown.length };
}

/** Keeps a list in the order that it had when the turn began: figures change at once, places only at a turn.
 * @param {Array<{name: string}>} items in their own order
 * @param {Array<string>} order names as they stood; new ones go to the end */
export function inOrderOf(items, order) {
  const place = new Map(order.map((name, index) => [name, index]));
  const placeOf = ({ name }) => place.get(name) ?? order.length;
  return [...items].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Remembers the order of a list from one turn to the next; also where nothing turns, so that places rest.
 * @returns {(items: Array<{name: string}>, turn: number) => Array<{name: string}>} */
export function createOrder() {
  let order = [];
  let ordered = null;
  return (items, turn) => {
    if (turn !== ordered || order.length === 0) {
      ordered = turn;
      order = items.map(({ name }) => name);
    }
    return inOrderOf(items, order);
  };
}
