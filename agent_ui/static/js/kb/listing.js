// What the list of articles shows, as a fold of what happened to it.
//
// In: a state and one event `{type, …}`. Out: the next state; the question to the server that it stands for.
// Not known here: the document, the server, the time of day beyond the day that is brought along.

import { addDays } from "./fields.js";

export const PAGE = 50;
const SOON_DAYS = 31;

/** The filters before anything was chosen. `show` is `all`, `expiring` or `deleted`. */
export function noFilters() {
  return { q: "", body: false, state: "", category: "", department: "", district: "", show: "all" };
}

export function emptyListing() {
  return {
    filters: noFilters(),
    order: "newest",
    offset: 0,
    phase: "loading",
    error: null,
    total: 0,
    rows: [],
    cursor: null,
    chosen: {},
    asked: 0,
  };
}

/** @param {{type: string}} event */
export function reduceListing(state, event) {
  return STEPS[event.type](state, event);
}

const STEPS = {
  filtered: (state, { changes }) =>
    anew({
      ...state,
      filters: { ...state.filters, ...changes },
      offset: 0,
      cursor: null,
      // What can be done with deleted articles is something else.
      chosen: "show" in changes ? {} : state.chosen,
    }),
  ordered: (state, { order }) => anew({ ...state, order, offset: 0, cursor: null }),
  turned: (state, { pages }) => {
    const last = Math.max(0, Math.ceil(state.total / PAGE) - 1);
    const page = Math.min(last, Math.max(0, state.offset / PAGE + pages));
    return page * PAGE === state.offset ? state : anew({ ...state, offset: page * PAGE, cursor: null });
  },
  asked: (state) => anew(state),
  /** Answers may overtake each other; only that to the newest question counts. */
  came: (state, { asked, total, rows }) => {
    if (asked !== state.asked) return state;
    if (rows.length === 0 && total > 0 && state.offset >= total)
      return anew({ ...state, total, offset: Math.floor((total - 1) / PAGE) * PAGE });
    const isThere = rows.some((row) => row.article_id === state.cursor);
    return { ...state, phase: "ready", error: null, total, rows, cursor: isThere ? state.cursor : null };
  },
  failed: (state, { asked, code }) =>
    asked === state.asked ? { ...state, phase: "failed", error: code } : state,
  /** An article was saved: the row shows it at once, wherever it now belongs. */
  changed: (state, { article }) => ({
    ...state,
    rows: state.rows.map((row) => (row.article_id === article.article_id ? article : row)),
    chosen: rechosen(state.chosen, article),
  }),
  pointed: (state, { article_id: cursor }) => ({ ...state, cursor }),
  moved: (state, { by }) => {
    if (state.rows.length === 0) return state;
    const place = state.rows.findIndex((row) => row.article_id === state.cursor);
    const next = place < 0 ? (by > 0 ? 0 : state.rows.length - 1) : place + by;
    const within = Math.min(state.rows.length - 1, Math.max(0, next));
    return { ...state, cursor: state.rows[within].article_id };
  },
  chosen: (state, { articles, isChosen }) => {
    const chosen = { ...state.chosen };
    for (const article of articles) {
      if (!isChosen) delete chosen[article.article_id];
      else if (Object.keys(chosen).length < 200 || article.article_id in chosen)
        chosen[article.article_id] = article.revision;
    }
    return { ...state, chosen };
  },
  unchosen: (state) => ({ ...state, chosen: {} }),
};

function anew(state) {
  return { ...state, asked: state.asked + 1, phase: "loading" };
}

function rechosen(chosen, { article_id: id, revision }) {
  return id in chosen ? { ...chosen, [id]: revision } : chosen;
}

/** The parameters of `GET /v1/articles` for what is wanted, on an ISO day. */
export function questionOf({ filters, order, offset }, onDay) {
  const { q, body, state, category, department, district, show } = filters;
  return {
    q: q.trim() || null,
    body: q.trim() && body ? true : null,
    state: state || null,
    category: category || null,
    department: department || null,
    district: district || null,
    expires_before: show === "expiring" ? addDays(onDay, SOON_DAYS) : null,
    deleted: show === "deleted" ? true : null,
    order: show === "expiring" ? "expiry" : order,
    offset,
    limit: PAGE,
  };
}

/** Whether anything is left out of the list by a filter. */
export function isFiltered({ filters }) {
  return JSON.stringify({ ...filters, body: false, q: filters.q.trim() }) !== JSON.stringify(noFilters());
}
