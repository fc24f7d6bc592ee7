// The audit log as people read it: what an action is called, which entries are asked for.
//
// In: raw actions, filters. Out: words, parameters of `GET /v1/audit`. Not known here: the document, the server.

export const PAGE = 100;

/** Actions by what they are about; the value is the end of a word `deed.…`. */
export const DEEDS = {
  entry: {
    "session.opened": "signedIn",
    "session.opened_by_oidc": "signedInByOidc",
    "session.opened_by_code": "signedInByCode",
    "session.refused": "refused",
    "session.refused_by_code": "codeRefused",
    "session.refused_password": "passwordRefused",
    "session.locked": "lockedOut",
    "DELETE /v1/session": "signedOut",
    "POST /v1/session/password": "ownPassword",
  },
  accounts: {
    "account.first": "firstAccount",
    "account.made_by_oidc": "accountMadeByOidc",
    "account.changed_by_oidc": "accountChangedByOidc",
    "account.added": "accountAdded",
    "account.password": "passwordSet",
    "account.locked": "accountLocked",
    "account.unlocked": "accountUnlocked",
    "POST /v1/accounts": "accountAdded",
    "PATCH /v1/accounts/{name}": "accountChanged",
  },
  tokens: {
    "POST /v1/tokens": "tokenMade",
    "DELETE /v1/tokens/{token_id}": "tokenRevoked",
  },
  settings: { "PATCH /v1/system/settings": "settingsChanged" },
  words: {
    "POST /v1/lexicon/terms": "termsPut",
    "DELETE /v1/lexicon/terms/{term}": "termDeleted",
    "PUT /v1/lexicon/file": "lexiconReplaced",
  },
  knowledge: {
    "POST /v1/articles": "articleAdded",
    "PUT /v1/articles/{article_id}": "articleChanged",
    "DELETE /v1/articles/{article_id}": "articleDeleted",
    "POST /v1/articles/{article_id}/restore": "articleRestored",
    "POST /v1/articles/{article_id}/state": "articleMoved",
    "POST /v1/articles/{article_id}/revert": "articleReverted",
    "POST /v1/articles/{article_id}/reports": "articleReported",
    "POST /v1/kb/bulk": "articlesChanged",
    "POST /v1/kb/import": "articlesImported",
    "POST /v1/kb/publish": "published",
    "POST /v1/kb/rollback": "rolledBack",
    "PUT /v1/kb/canaries": "canaryPut",
    "DELETE /v1/kb/canaries": "canaryRemoved",
    "POST /v1/kb/gaps/adopt": "questionsAdopted",
    "POST /v1/kb/reports/{report_id}/answer": "reportAnswered",
  },
  orders: {
    "POST /v1/orders": "orderMade",
    "PUT /v1/orders/{order_id}": "orderWritten",
    "POST /v1/orders/{order_id}/steps": "orderMoved",
    "POST /v1/orders/{order_id}/comments": "orderCommented",
    "POST /v1/orders/{order_id}/attachments": "orderAttached",
    "PATCH /v1/orders/{order_id}/attachments/{attachment_id}": "orderFileChanged",
    "GET /v1/orders/file": "ordersExported",
    "PUT /v1/departments": "directoryReplaced",
    "POST /v1/webhooks": "receiverAdded",
    "PATCH /v1/webhooks/{receiver_id}": "receiverChanged",
    "POST /v1/webhooks/{receiver_id}/secret": "receiverSecret",
    "POST /v1/webhooks/{receiver_id}/ping": "receiverPinged",
    "POST /v1/webhooks/{receiver_id}/skip": "receiverSkipped",
    "DELETE /v1/webhooks/{receiver_id}": "receiverRemoved",
  },
  calls: {
    "POST /v1/calls/recordings": "recordingPlayed",
    "PATCH /v1/calls/recordings/{call_id}": "recordingSteered",
    "DELETE /v1/calls/recordings/{call_id}": "recordingStopped",
  },
  supervision: {
    "POST /v1/alarms/{alarm_id}/take": "alarmTaken",
    "POST /v1/alarms/{alarm_id}/rate": "alarmRated",
    "POST /v1/supervision/handovers": "handedOver",
    "POST /v1/quality/calls/{call_id}/remarks": "scoreRemarked",
  },
};
const WORD_OF = Object.assign({}, ...Object.values(DEEDS));

/** What an action is called; one that this page does not know is shown as it is. */
export function deedText(action, t) {
  return Object.hasOwn(WORD_OF, action) ? t(`deed.${WORD_OF[action]}`) : action;
}

const ACCOUNT_DEEDS = ["POST /v1/accounts", "PATCH /v1/accounts/{name}"];
const TOKEN_DEEDS = ["POST /v1/tokens"];
const REVOKED = "DELETE /v1/tokens/{token_id}";
const BULK = "POST /v1/kb/bulk";
const SETTING_DEEDS = ["PATCH /v1/system/settings"];

/** What it was done to, the server's short names of settings, fields, roles and permissions in words. What stands
 * first is a name that somebody chose, and stays as it is. */
export function targetText(action, target, t) {
  if (SETTING_DEEDS.includes(action)) {
    return target.replace(/(^|，)(\w+)/g, (all, before, name) => before + wordOr(`setting.${name}`, name, t));
  }
  if (action === REVOKED) return target.replace(/^\d+ (?=.)/, "");
  if (action === BULK) return target.replace(/^\w+/, (deed) => wordOr(`bulkDeed.${deed}`, deed, t));
  if (!ACCOUNT_DEEDS.includes(action) && !TOKEN_DEEDS.includes(action)) return target;
  const place = TOKEN_DEEDS.includes(action) ? target.lastIndexOf(" ") : target.indexOf(" ");
  if (place < 0) return target;
  const [name, rest] = [target.slice(0, place), target.slice(place + 1)];
  if (TOKEN_DEEDS.includes(action)) {
    return `${name}：${rest
      .split(",")
      .map((scope) => wordOr(`scope.${scope}`, scope, t))
      .join(t("sys.comma"))}`;
  }
  const field = (one) =>
    one
      .replace(/^\w+/, (key) => wordOr(`field.${key}`, key, t))
      .replace(/(?<=[=→]|\s)(operator|supervisor|admin|integrator|department)(?=→|$)/g, (role) =>
        one.startsWith("role") ? t(`role.${role}`) : role,
      )
      .replace("=", " ");
  return `${name}：${rest.split("，").map(field).join("，")}`;
}

const wordOr = (key, otherwise, t) => (t.knows(key) ? t(key) : otherwise);

export const noFilters = () => ({ who: "", q: "", about: "", from: "", to: "" });

export function isFiltered(filters) {
  return Object.entries(noFilters()).some(([name, none]) => filters[name].trim() !== none);
}

/** Whether the days stand the wrong way round. */
export function isBackwards({ from, to }) {
  return from !== "" && to !== "" && from > to;
}

/** The parameters for a page of the log; days are those of the zone. */
export function questionOf({ who, q, about, from, to }, zone) {
  return {
    who: who.trim() || null,
    q: q.trim() || null,
    action: about === "" ? [] : Object.keys(DEEDS[about]),
    since: from === "" ? null : dayStart(from, zone),
    until: to === "" ? null : dayStart(nextDay(to), zone),
  };
}

function nextDay(isoDay) {
  return new Date(Date.parse(`${isoDay}T00:00:00Z`) + 24 * 3600 * 1000).toISOString().slice(0, 10);
}

/** @returns {string} "2026-03-05T00:00:00+08:00" for a day in a zone */
export function dayStart(isoDay, zone) {
  const parts = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" }).formatToParts(
    Date.parse(`${isoDay}T00:00:00Z`),
  );
  const offset = parts.find(({ type }) => type === "timeZoneName").value.replace("GMT", "");
  return `${isoDay}T00:00:00${offset || "+00:00"}`;
}
