"""The queries of reports, as they are printed in every report.

In: a database's way of saying things. Out: SQL texts by number, with named parameters.
Not known here: which of them a report asks, with which parameters.

The first two set up `matters` (what citizens wanted: calls, and orders that no call belongs to) and `work`
(orders that departments had something to do with); all others read those, so that whoever asks them in this
order gets the figures of the report.
Moments are texts in UTC; `:offset` leads from there to the city's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from insight.reports.tongues import Postgres, Sqlite, Tongue


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One query with its title."""

    title: str
    sql: str


def queries_of(t: Tongue) -> Mapping[str, Query]:
    """All of them, as that database takes them."""
    is_meant = f"""(:matter = '' OR topic = :matter OR category = :matter)
  AND (:district = '' OR district = :district)
  AND (:department = '' OR department_id = :department)
  AND (:ids = '' OR call_id IN ({t.each(":ids")})
    OR order_id IN ({t.each(":ids")}))"""

    def form(*path: str) -> str:
        return t.text("w.form", *path)

    def topic(category: str) -> str:
        return f"""coalesce(
    {t.best_title("w.form")},
    nullif({category}, '') || '（未细分）', '')"""

    category = f"""coalesce(nullif(o.category, ''), {form("category", "value")}, '')"""
    return {
        "Q01": Query(
            title="诉求底表：时段内的来电（不含试听写），以及没有来电的工单",
            sql=f"""INSERT INTO matters
SELECT * FROM (
  SELECT :span AS span, c.call_id, o.order_id, c.started_at AS at, nullif(c.caller, '') AS caller,
    nullif(c.seconds, 0) AS seconds,
    coalesce(o.type, {form("kind", "value")}, '') AS kind,
    coalesce(o.urgency, {form("urgency", "value")}, '') AS urgency,
    {category} AS category,
    {topic(category)} AS topic,
    coalesce(nullif(o.district, ''), {form("district", "value")}, '') AS district,
    coalesce(o.department_id, {form("department_id")}, '') AS department_id
  FROM calls AS c
  LEFT JOIN wrapups AS w ON w.call_id = c.call_id
  LEFT JOIN orders AS o ON o.number = (SELECT min(number) FROM orders WHERE call_id = c.call_id)
  WHERE c.started_at >= :start AND c.started_at < :until
    AND coalesce({t.text("c.meta", "来源")}, '') NOT IN ('话筒试听写', '录音试听写')
  UNION ALL
  SELECT :span, NULL, o.order_id, o.created_at, nullif(o.caller_phone, ''), NULL, o.type, o.urgency,
    o.category, coalesce(nullif(o.category, '') || '（未细分）', ''), o.district,
    coalesce(o.department_id, '')
  FROM orders AS o
  WHERE o.created_at >= :start AND o.created_at < :until AND o.state <> 'merged'
    AND NOT EXISTS (SELECT 1 FROM calls WHERE calls.call_id = o.call_id)
) AS found WHERE {is_meant}""",  # noqa: S608 - put together of constants
        ),
        "Q02": Query(
            title="工单底表：对比时段以来变动过的和还没办结的工单",
            sql=f"""INSERT INTO work
SELECT * FROM (
  SELECT o.order_id, o.call_id, o.state, o.urgency, o.category,
    {topic("o.category")} AS topic,
    o.district, coalesce(o.department_id, '') AS department_id, o.summary, o.caller_name, o.caller_phone,
    o.created_at, o.dispatched_at, o.due_at, o.answered_at, o.closed_at, o.satisfaction, o.returns
  FROM orders AS o LEFT JOIN wrapups AS w ON w.call_id = o.call_id
  WHERE o.changed_at >= :start OR o.state NOT IN ('closed', 'merged')
) AS found WHERE {is_meant}""",  # noqa: S608 - put together of constants
        ),
        "Q03": Query(
            title="诉求、来电、来电人数、工单、紧急件",
            sql="""SELECT count(*) AS matters, count(call_id) AS calls, count(order_id) AS orders,
  count(DISTINCT coalesce(caller, call_id, order_id)) AS callers, avg(seconds) AS mean_s,
  count(*) FILTER (WHERE urgency IN ('紧急', '特急')) AS urgent
FROM matters WHERE span = :span""",
        ),
        "Q04": Query(
            title="各日诉求",
            sql=f"""SELECT {t.day("at")} AS day, count(*) AS n FROM matters WHERE span = :span
GROUP BY day ORDER BY day""",  # noqa: S608 - put together of constants
        ),
        "Q05": Query(
            title="各小时诉求",
            sql=f"""SELECT {t.hour("at")} AS hour, count(*) AS n
FROM matters WHERE span = :span GROUP BY hour ORDER BY hour""",  # noqa: S608 - put together of constants
        ),
        "Q06": Query(
            title="各类型诉求",
            sql="SELECT kind AS name, count(*) AS n FROM matters WHERE span = :span GROUP BY kind",
        ),
        "Q07": Query(
            title="各类别诉求",
            sql="SELECT category AS name, count(*) AS n FROM matters WHERE span = :span GROUP BY category",
        ),
        "Q08": Query(
            title="各区县诉求",
            sql="SELECT district AS name, count(*) AS n FROM matters WHERE span = :span GROUP BY district",
        ),
        "Q09": Query(
            title="各区县、各类别诉求",
            sql="""SELECT district, category, count(*) AS n FROM matters
WHERE span = :span AND district <> '' AND category <> '' GROUP BY district, category""",
        ),
        "Q10": Query(
            title="各事项诉求和来电人数",
            sql="""SELECT topic AS name, min(category) AS category, count(*) AS n,
  count(DISTINCT coalesce(caller, call_id, order_id)) AS callers
FROM matters WHERE span = :span AND topic <> '' GROUP BY topic""",
        ),
        "Q11": Query(
            title="同一号码来电三次及以上",
            sql="""SELECT count(*) AS callers, coalesce(sum(n), 0) AS matters FROM (
  SELECT count(*) AS n FROM matters WHERE span = :span AND caller IS NOT NULL
  GROUP BY caller HAVING count(*) >= 3) AS often""",
        ),
        "Q12": Query(
            title="承办单位：派单、到期、按时答复、答复用时、办结",
            sql=f"""SELECT department_id,
  count(*) FILTER (WHERE dispatched_at >= :start AND dispatched_at < :until) AS dispatched,
  count(*) FILTER (WHERE due_at >= :start AND due_at < :until AND state <> 'merged') AS due,
  count(*) FILTER (WHERE due_at >= :start AND due_at < :until AND state <> 'merged'
    AND answered_at <= due_at) AS in_time,
  count(*) FILTER (WHERE answered_at >= :start AND answered_at < :until
    AND dispatched_at IS NOT NULL) AS answered,
  sum(CASE WHEN answered_at >= :start AND answered_at < :until
      THEN {t.hours_between("dispatched_at", "answered_at")} END) AS hours,
  count(*) FILTER (WHERE closed_at >= :start AND closed_at < :until) AS closed
FROM work WHERE department_id <> '' GROUP BY department_id""",  # noqa: S608 - put together of constants
        ),
        "Q13": Query(
            title="承办单位：回访结果",
            sql=f"""SELECT w.department_id, {t.text("s.changes", "satisfaction", "1")} AS said, count(*) AS n
FROM order_steps AS s {t.in_this_order} work AS w ON w.order_id = s.order_id
WHERE s.action = 'follow_up' AND s.at >= :start AND s.at < :until GROUP BY w.department_id, said""",  # noqa: S608 - put together of constants
        ),
        "Q14": Query(
            title="退回和重办的次数",
            sql=f"""SELECT count(*) FILTER (WHERE s.action = 'send_back') AS returns,
  count(*) FILTER (WHERE s.action = 'rework') AS reworks
FROM order_steps AS s {t.in_this_order} work AS w ON w.order_id = s.order_id
WHERE s.action IN ('send_back', 'rework') AND s.at >= :start AND s.at < :until""",  # noqa: S608 - put together of constants
        ),
        "Q15": Query(
            title="督办：统计时逾期未答复、多次退回、紧急件未答复的工单数",
            sql="""SELECT
  count(*) FILTER (WHERE state IN ('dispatched', 'handling') AND due_at < :now) AS overdue,
  count(*) FILTER (WHERE state NOT IN ('closed', 'merged') AND returns >= 2) AS returned,
  count(*) FILTER (WHERE urgency IN ('紧急', '特急')
    AND state NOT IN ('closed', 'merged', 'answered', 'followed_up')) AS urgent
FROM work""",
        ),
        "Q16": Query(
            title="督办清单：逾期的、多次退回的、期内不满意的工单，逾期最久的在前",
            sql="""SELECT * FROM (
  SELECT order_id, summary, caller_name, caller_phone, district, department_id, urgency, state,
    due_at, returns,
    coalesce(state IN ('dispatched', 'handling') AND due_at < :now, FALSE) AS is_overdue,
    coalesce(satisfaction = 'unsatisfied' AND EXISTS (SELECT 1 FROM order_steps AS s
      WHERE s.order_id = work.order_id AND s.action = 'follow_up' AND s.at >= :start AND s.at < :until),
      FALSE) AS is_unsatisfied
  FROM work WHERE state <> 'merged') AS found
WHERE is_overdue OR (returns >= 2 AND state <> 'closed') OR is_unsatisfied
ORDER BY is_overdue DESC, CASE WHEN is_overdue THEN due_at END, is_unsatisfied DESC, order_id
LIMIT :most""",
        ),
        "Q17": Query(
            title="安全报警",
            sql=f"""SELECT a.kind AS name, count(*) AS n, count(*) FILTER (WHERE a.is_true) AS confirmed
FROM matters AS m {t.in_this_order} alarms AS a ON a.call_id = m.call_id
WHERE m.span = :span GROUP BY a.kind""",  # noqa: S608 - put together of constants
        ),
        "Q18": Query(
            title="服务质检",
            sql=f"""SELECT count(*) AS n, avg(q.score) AS mean
FROM matters AS m {t.in_this_order} quality_scores AS q ON q.call_id = m.call_id
WHERE m.span = :span""",  # noqa: S608 - put together of constants
        ),
        "Q19": Query(
            title="一个事项：各日诉求",
            sql=f"""SELECT {t.day("at")} AS day, count(*) AS n FROM matters
WHERE span = :span AND topic = :topic GROUP BY day ORDER BY day""",  # noqa: S608 - put together of constants
        ),
        "Q20": Query(
            title="一个事项：各区县诉求",
            sql="""SELECT district AS name, count(*) AS n FROM matters
WHERE span = :span AND topic = :topic GROUP BY district""",
        ),
        "Q21": Query(
            title="一个事项：工单、已答复、已办结",
            sql=f"""SELECT count(*) AS orders,
  count(*) FILTER (WHERE w.state IN ('answered', 'followed_up', 'closed')) AS answered,
  count(*) FILTER (WHERE w.state = 'closed') AS closed
FROM matters AS m {t.in_this_order} work AS w ON w.order_id = m.order_id
WHERE m.span = :span AND m.topic = :topic AND w.state <> 'merged'""",  # noqa: S608 - put together of constants
        ),
        "Q22": Query(
            title="一个事项：承办单位",
            sql="""SELECT department_id, count(*) AS n FROM matters
WHERE span = :span AND topic = :topic AND department_id <> '' GROUP BY department_id""",
        ),
        "Q23": Query(
            title="一个事项：市民原话",
            sql=f"""SELECT m.call_id, m.order_id, m.at, m.district,
  coalesce(nullif({form("detail", "drafted")}, ''), nullif({form("detail", "value")}, ''),
    nullif(o.detail, ''), {form("summary", "value")}, o.summary, '') AS said,
  coalesce(o.caller_name, {form("caller_name", "value")}, '') AS caller_name,
  coalesce(o.caller_phone, {form("caller_phone", "value")}, '') AS caller_phone, m.caller
FROM matters AS m LEFT JOIN wrapups AS w ON w.call_id = m.call_id
LEFT JOIN orders AS o ON o.order_id = m.order_id
WHERE m.span = :span AND m.topic = :topic ORDER BY m.at LIMIT :most""",  # noqa: S608 - put together of constants
        ),
        "Q24": Query(
            title="预警",
            sql="""SELECT warning_id, layer, name, coalesce(district, '') AS district, raised_at, since,
  observed, expected, callers_now, state, is_true FROM warnings
WHERE raised_at >= :start AND raised_at < :until
  AND (:warning = '' OR warning_id = :warning)
  AND (:matter = '' OR matter = :matter OR category = :matter)
  AND (:district = '' OR district = :district OR CAST(districts AS TEXT) LIKE '%"' || :district || '"%')
  AND (:department = '' OR CAST(department_ids AS TEXT) LIKE '%"' || :department || '"%')
ORDER BY raised_at""",
        ),
        "Q25": Query(
            title="排队来电：接通的、没等到接听就挂断的",
            sql="""SELECT
  count(*) FILTER (WHERE a.answered_at IS NOT NULL OR c.call_id IS NOT NULL) AS answered,
  count(*) FILTER (WHERE a.answered_at IS NULL AND c.call_id IS NULL AND a.left_at IS NOT NULL) AS abandoned
FROM arrivals AS a LEFT JOIN calls AS c ON c.call_id = a.call_id
WHERE a.arrived_at >= :start AND a.arrived_at < :until""",
        ),
    }


TONGUES: Mapping[str, Tongue] = {"sqlite": Sqlite(), "postgresql": Postgres()}
QUERIES = {name: queries_of(tongue) for name, tongue in TONGUES.items()}
"""By the name of the database."""
