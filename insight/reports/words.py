"""The words of a report that depend on what it covers, and those of states and kinds.

In: what a report covers. Out: words. Not known here: numbers.
"""

from dataclasses import dataclass

from insight.reports.types import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """How times are called."""

    name: str
    this: str
    before: str
    compared: str
    a_year_ago: str
    compared_year: str


WORDS = {
    Kind.DAY: Words(
        name="日报",
        this="当日",
        before="前一日",
        compared="较前一日",
        a_year_ago="去年同日",
        compared_year="同比",
    ),
    Kind.WEEK: Words(
        name="周报",
        this="本周",
        before="上周",
        compared="环比",
        a_year_ago="去年同期",
        compared_year="同比",
    ),
    Kind.MONTH: Words(
        name="月报",
        this="本月",
        before="上月",
        compared="环比",
        a_year_ago="去年同月",
        compared_year="同比",
    ),
    Kind.ISSUE: Words(
        name="专题报告",
        this="期内",
        before="前一时段",
        compared="较前一时段",
        a_year_ago="去年同期",
        compared_year="同比",
    ),
}

STATES = {
    "draft": "草稿",
    "accepted": "已受理",
    "dispatched": "已派单",
    "handling": "办理中",
    "answered": "已答复",
    "followed_up": "已回访",
    "closed": "已办结",
    "returned": "已退回",
    "merged": "已合并",
    "suspended": "已挂起",
}
LAYERS = {"known": "已知事项", "unknown": "新事项", "safety": "安全"}
WARNING_STATES = {
    "open": "待处理",
    "acknowledged": "已知悉",
    "assigned": "已转办",
    "muted": "已静默",
    "closed": "已关闭",
}
ALARMS = {
    "gas": "燃气泄漏",
    "fire": "火情",
    "fall": "高处坠落",
    "electricity": "触电漏电",
    "suicide": "轻生",
    "missing": "人员走失",
    "trapped": "人员被困",
    "drowning": "溺水",
    "violence": "暴力伤害",
    "collapse": "坍塌",
    "explosion": "爆炸",
    "poisoning": "中毒",
    "crowd": "人群聚集",
    "injury": "伤病急救",
}
