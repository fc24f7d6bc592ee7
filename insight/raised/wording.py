"""A warning in words, for mails, orders and lists. Pure.

In: warnings. Out: Chinese sentences. Not known here: who reads them.

Nothing that a citizen said is in them, and nobody's number or address.
"""

from datetime import datetime, tzinfo

from insight.raised.types import Layer, RaisedWarning

KINDS = {
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
"""Kinds of danger as alarms have them."""


_LEAST_DAYS_H = 72
"""From which on whole days are told as days."""
_HARDLY = 0.05
"""Below it nothing would be left of the figure."""
_SIZES = ((1e-3, "千"), (1e-4, "万"), (1e-5, "十万"), (1e-6, "百万"), (1e-7, "千万"), (1e-8, "亿"))


def place_of(warning: RaisedWarning) -> str:
    """Where it is."""
    return warning.district or ("全市" if warning.layer is not Layer.SAFETY else "、".join(warning.districts))


def title_of(warning: RaisedWarning) -> str:
    """One line that says what it is about."""
    if warning.layer is Layer.SAFETY:
        return f"{warning.name}报警"
    return f"{place_of(warning)}：{warning.name}"


def explanation_of(warning: RaisedWarning, zone: tzinfo) -> str:
    """Why it was raised, in one or two sentences."""
    if warning.layer is Layer.SAFETY:
        return f"{_clock(warning.raised_at, zone)} 的一通来电说到“{warning.name}”，按规则立即报警，不看数量。"
    told = f"{_clock(warning.raised_at, zone)} 之前的 {_span(warning.window_h)}内，{warning.observed} 人反映"
    if 0 < warning.expected < _HARDLY:
        told += "，平时几乎没有人反映"
    elif warning.expected > 0:
        told += f"，平时同样时段约 {warning.expected:.1f} 人"
    told += f"（最早 {_clock(warning.since, zone)}）。"
    if warning.callers_now != warning.observed:
        told += f"目前共 {warning.callers_now} 人。"
    if warning.places > 1:
        told += f"来自 {warning.places} 个不同地点。"
    if len(warning.districts) > 1:
        told += f"涉及{'、'.join(warning.districts)}。"
    if 0 < warning.probability < 1:
        told += f"若一切如常，出现这么多人的可能性约为{chance(warning.probability)}。"
    return told


def chance(probability: float) -> str:
    """A small probability as people say it."""
    if probability >= 0.01:
        return f"百分之{probability * 100:.0f}"
    if probability < 1e-8:
        return "亿分之一以下"
    size, name = next((size, name) for size, name in _SIZES if probability >= size)
    return f"{name}分之{min(9, round(probability / size))}"


def _span(window_h: int) -> str:
    is_days = window_h >= _LEAST_DAYS_H and window_h % 24 == 0
    return f"{window_h // 24} 天" if is_days else f"{window_h} 小时"


def _clock(at: datetime, zone: tzinfo) -> str:
    there = at.astimezone(zone)
    return f"{there.month}月{there.day}日 {there:%H:%M}"
