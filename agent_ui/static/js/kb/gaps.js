// What use tells about the knowledge: missed questions, how articles fare, what to look at next.
//
// In: the server's lists. Out: a view of five lists, and questions that became part of an article.

import { h, lock, setAttribute } from "../dom.js";
import { day } from "../format.js";
import { mountPicker } from "./picker.js";
import { button, emptiness, many, moment, reasonOf, skeleton, sorry, whileWorking } from "../parts.js";
import { linkTo } from "./publish.js";
import { reportRow } from "./reports.js";
import {
  adoptQuestions,
  readDuplicates,
  readExpiring,
  readGaps,
  readReports,
  readTitles,
  readUsage,
  reopenQuestions,
} from "./server.js";

const LISTS = ["missed", "usage", "duplicates", "expiring", "reports"];
const SPANS = [7, 30, 90];
const PAGE = 50;

/** @param {{news, onChanged: () => void, onOpen: (id: string) => void, onTry: (text: string) => void}} page */
export function mountGaps(t, page) {
  const { news } = page;
  let list = "missed";
  let days = 30;
  let isNever = false;
  let offset = 0;
  let asked = 0;
  const tabs = LISTS.map((name) =>
    h("button", { type: "button", role: "tab", onclick: () => turn(name) }, t(`gaps.${name}`)),
  );
  const span = h(
    "select",
    { "aria-label": t("gaps.span") },
    ...SPANS.map((count) => h("option", { value: String(count) }, t("gaps.days", { count }))),
  );
  span.value = String(days);
  span.addEventListener("change", () => {
    days = Number(span.value);
    offset = 0;
    read();
  });
  const never = h("input", { type: "checkbox" });
  never.addEventListener("change", () => {
    isNever = never.checked;
    offset = 0;
    read();
  });
  const neverLabel = h("label", { class: "kb-inline" }, never, t("usage.never"));
  const how = h("p", { class: "kb-hint" });
  const body = h("div", { class: "kb-gaps-body", tabindex: "0" });
  const element = h(
    "div",
    { class: "kb-view kb-gaps" },
    h(
      "section",
      { class: "kb-box", "aria-label": t("gaps.title") },
      h(
        "div",
        { class: "kb-box-head" },
        h("div", { role: "tablist", class: "kb-tabs" }, ...tabs),
        how,
        neverLabel,
        span,
      ),
      body,
    ),
  );

  function turn(name) {
    list = name;
    offset = 0;
    read();
  }

  async function read() {
    const mine = (asked += 1);
    tabs.forEach((tab, place) => setAttribute(tab, "aria-selected", String(LISTS[place] === list)));
    how.textContent = t(`gaps.${list}.how`);
    span.hidden = !["missed", "usage", "expiring"].includes(list);
    neverLabel.hidden = list !== "usage";
    body.replaceChildren(skeleton(6));
    try {
      const drawn = await READ[list]();
      if (mine === asked) body.replaceChildren(...drawn);
    } catch (error) {
      if (mine === asked) body.replaceChildren(sorry(error, t, read));
    }
  }

  const none = () => [emptiness(t(`gaps.${list}.none`), t(`gaps.${list}.none.how`))];
  const failed = (error) => news.tell(reasonOf(error, t), { level: "bad" });

  const READ = {
    missed: async () => {
      const groups = await readGaps(days);
      return groups.length > 0 ? [h("ol", { class: "kb-groups" }, ...groups.map(groupRow))] : none();
    },
    usage: async () => {
      const { total, articles } = await readUsage({
        days,
        never_shown: String(isNever),
        offset,
        limit: PAGE,
      });
      return total > 0 ? [usageTable(articles), pager(total)] : none();
    },
    duplicates: async () => {
      const pairs = await readDuplicates();
      if (pairs.length === 0) return none();
      const titles = await readTitles([
        ...new Set(pairs.flatMap((pair) => [pair.article_id, pair.other_id])),
      ]);
      const row = (pair) =>
        h(
          "li",
          {},
          linkTo(pair.article_id, titles[pair.article_id], page.onOpen),
          linkTo(pair.other_id, titles[pair.other_id], page.onOpen),
          h(
            "span",
            { class: "kb-hint" },
            t(`likeness.${pair.shared}`),
            ` ${Math.round(pair.likeness * 100)}%`,
          ),
        );
      return [h("ol", { class: "kb-pairs" }, ...pairs.map(row))];
    },
    expiring: async () => {
      const { articles } = await readExpiring(days);
      const row = (article) =>
        h(
          "li",
          {},
          h("b", {}, day(article.expires_on, t.language)),
          linkTo(article.article_id, article, page.onOpen),
          h("span", { class: "kb-hint" }, article.department),
        );
      return articles.length > 0 ? [h("ol", { class: "kb-pairs" }, ...articles.map(row))] : none();
    },
    reports: async () => {
      const { total, reports } = await readReports({ offset, limit: PAGE });
      if (total === 0) return none();
      const titles = await readTitles([...new Set(reports.map((report) => report.article_id))]);
      const row = (report) =>
        reportRow(t, report, {
          title: titles[report.article_id]?.title ?? report.article_id,
          news,
          onAnswered: read,
          onOpen: () => page.onOpen(report.article_id),
        });
      return [h("ol", { class: "kb-report-list" }, ...reports.map(row)), pager(total)];
    },
  };

  function pager(total) {
    const go = (by) => {
      offset += by;
      read();
    };
    const back = button("‹", () => go(-PAGE), { "aria-label": t("list.pageBack") });
    const on = button("›", () => go(PAGE), { "aria-label": t("list.pageOn") });
    lock(back, offset === 0);
    lock(on, offset + PAGE >= total);
    const last = Math.min(total, offset + PAGE);
    return h(
      "div",
      { class: "kb-pager" },
      t("list.range", { first: offset + 1, last: many(last, t), total: many(total, t) }),
      back,
      on,
    );
  }

  function groupRow({ count, questions }) {
    const wording = questions.map((one) => one.question);
    const open = h("div", { class: "kb-row" });
    const picker = mountPicker(t, {
      label: t("gaps.pick"),
      onPick: (article) => adopt(row, wording, article),
      onCancel: () => open.replaceChildren(...buttons),
    });
    const take = button(t("gaps.adopt"), () => {
      open.replaceChildren(picker.element);
      picker.focus();
    });
    const aside = button(t("gaps.aside"), (event) => setAside(row, wording, event.currentTarget));
    const buttons = [take, aside, button(t("try.title"), () => page.onTry(wording[0]), { class: "quiet" })];
    open.append(...buttons);
    const line = (one) =>
      h(
        "li",
        {},
        h("span", {}, one.question),
        h(
          "a",
          { class: "kb-hint", href: `./?call=${encodeURIComponent(one.call_id)}` },
          `${moment(one.at, t)} · ${t(`why.${one.why}`)}`,
        ),
      );
    const row = h(
      "li",
      { class: "kb-group" },
      h("b", { class: "kb-count", title: t("gaps.count", { count }) }, `${count}×`),
      h(
        "ol",
        {},
        ...questions.slice(0, 5).map(line),
        ...(count > 5 ? [h("li", { class: "kb-hint" }, t("publish.more", { count: count - 5 }))] : []),
      ),
      open,
    );
    return row;
  }

  function adopt(row, questions, article) {
    return adoptQuestions(questions, article.article_id).then(() => {
      row.remove();
      news.tell(t("gaps.adopted", { count: questions.length, title: article.title }), {
        label: t("gaps.look"),
        undo: () => page.onOpen(article.article_id),
      });
      page.onChanged();
      if (body.querySelector(".kb-group") === null) read();
    }, failed);
  }

  function setAside(row, questions, from) {
    return whileWorking(
      from,
      async () => {
        await adoptQuestions(questions, null);
        row.remove();
        news.tell(t("gaps.setAside", { count: questions.length }), {
          undo: () => reopenQuestions(questions).then(read, failed),
        });
        if (body.querySelector(".kb-group") === null) read();
      },
      failed,
    );
  }

  function usageTable(articles) {
    const columns = ["shown", "used", "helpful", "wrong", "dismissed"];
    return h(
      "table",
      { class: "kb-plain kb-usage-table" },
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, t("field.title")),
          ...columns.map((name) => h("th", { scope: "col" }, t(`usage.${name}`))),
          h("th", { scope: "col" }, t("usage.last")),
        ),
      ),
      h(
        "tbody",
        {},
        ...articles.map((one) =>
          h(
            "tr",
            {},
            h("td", {}, linkTo(one.article_id, one, page.onOpen)),
            ...columns.map((name) =>
              h(
                "td",
                { class: "kb-number", "data-zero": one[name] === 0 ? "true" : null },
                many(one[name], t),
              ),
            ),
            h("td", {}, one.last_shown_at ? moment(one.last_shown_at, t) : "—"),
          ),
        ),
      ),
    );
  }

  return { element, open: read, close: () => {} };
}
