"""A day of the hall as the wire tells it, made of a seed: for tests of the board that need no server's day.

In: how many calls, until when. Out: events as JSON would have them (docs/hall.md).
Not known here: how the server makes them.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]
ZONE = timezone(timedelta(hours=8))
DAY = datetime(2026, 3, 5, tzinfo=ZONE)
NOW = DAY + timedelta(hours=10, minutes=32, seconds=31)
SEQ = 1_772_677_951_000
HOURLY = (12, 8, 6, 5, 6, 11, 30, 62, 120, 162, 158, 140, 96, 98, 131, 141, 132, 110, 82, 76, 66, 50, 31, 20)
DISTRICTS = {"定海区": 0.36, "普陀区": 0.28, "岱山县": 0.14, "新城": 0.11, "嵊泗县": 0.07, "六横": 0.04}
TYPES = {"咨询": 0.5, "求助": 0.26, "投诉": 0.18, "建议": 0.04, "举报": 0.02}
MATTERS = {
    "雨水管道堵塞、路面积水如何报修": ("城乡建设与市容环卫", 0.09),
    "社保卡申领、补换与激活": ("社会保险与医保", 0.08),
    "水费异常与水表校验": ("公用事业与通信", 0.07),
    "公积金提取条件与材料": ("住房公积金与住房保障", 0.07),
    "异地长期居住就医备案": ("社会保险与医保", 0.06),
    "工地夜间施工噪音": ("生态环境与噪声", 0.06),
    "汽车轮渡过渡收费与排队预约": ("交通运输与出行", 0.05),
    "预付卡退费纠纷": ("市场监管与消费维权", 0.05),
    "居民身份证到期换领": ("户籍与公安", 0.05),
    "拖欠工资投诉": ("劳动与就业", 0.04),
    "义务教育入学报名": ("教育", 0.04),
    "儿童预防接种门诊与预约": ("卫生健康", 0.03),
    "路灯不亮": ("城乡建设与市容环卫", 0.03),
}


def snapshot(rows: Sequence[Json] = (), **more: Any) -> Json:
    """The whole of a day; `more` replaces what it says beside the rows."""
    return (
        _event("hall.snapshot", SEQ)
        | {
            "day": DAY.date().isoformat(),
            "from": DAY.isoformat(),
            "until": (DAY + timedelta(days=1)).isoformat(),
            "speed": 1.0,
            "is_simulated": False,
            "has_queue": True,
            "usual": usual(),
            "calls": list(rows),
            "orders": orders(),
            "warnings": warnings(),
        }
        | more
    )


def changed(seq: int, rows: Sequence[Json], gone: Sequence[str] = (), **more: Any) -> Json:
    """Rows that are new or changed."""
    return (
        _event("hall.calls", seq)
        | {"has_queue": True, "is_simulated": False, "calls": list(rows), "gone": list(gone)}
        | more
    )


def tick(at: datetime = NOW) -> Json:
    """Nothing new."""
    return _event("hall.tick", None) | {"at": at.isoformat()}


def told_orders(seq: int, **more: Any) -> Json:
    """The block of orders anew."""
    return _event("hall.orders", seq) | {"orders": orders() | more}


def told_warnings(seq: int, some: Sequence[Json]) -> Json:
    """The list of warnings anew."""
    return _event("hall.warnings", seq) | {"warnings": list(some)}


def row(key: str, **more: Any) -> Json:
    """One call that is over."""
    arrived = DAY + timedelta(hours=9)
    return {
        "call_key": key,
        "state": "ended",
        "arrived_at": arrived.isoformat(),
        "answered_at": (arrived + timedelta(seconds=8)).isoformat(),
        "ended_at": (arrived + timedelta(minutes=4)).isoformat(),
        "type": "",
        "category": "",
        "matter": "",
        "district": "",
        "is_urgent": False,
    } | more


def city_rows(until: datetime = NOW, seed: int = 12345, factor: float = 1.1) -> list[Json]:
    """The rows of a morning: as many in each hour as usual, times a factor; the last ones still go on."""
    chance = random.Random(seed)
    moments = []
    for hour, calls in enumerate(HOURLY):
        for _ in range(round(calls * factor)):
            moments.append(DAY + timedelta(hours=hour, seconds=chance.uniform(0, 3600)))
    return [
        _city_row(f"{number:016x}", moment, until, chance)
        for number, moment in enumerate(sorted(one for one in moments if one < until))
    ]


def _city_row(key: str, arrived: datetime, until: datetime, chance: random.Random) -> Json:
    waits_s, talks_s = chance.expovariate(1 / 9), chance.uniform(60, 360)
    answered = arrived + timedelta(seconds=waits_s)
    ended = answered + timedelta(seconds=talks_s)
    if answered > until:
        return row(key, state="waiting", arrived_at=arrived.isoformat(), answered_at=None, ended_at=None)
    if chance.random() < 0.04:
        return row(
            key,
            state="abandoned",
            arrived_at=arrived.isoformat(),
            answered_at=None,
            ended_at=answered.isoformat(),
        )
    state = "talking" if ended > until else "wrapup" if until - ended < timedelta(seconds=90) else "ended"
    matter = _choose({name: weight for name, (_, weight) in MATTERS.items()}, chance)
    known = state != "talking" and chance.random() < 0.94
    return row(
        key,
        state=state,
        arrived_at=arrived.isoformat(),
        answered_at=answered.isoformat(),
        ended_at=None if state == "talking" else ended.isoformat(),
        is_urgent=chance.random() < 0.02,
        type=_choose(TYPES, chance) if known else "",
        category=MATTERS[matter][0] if known else "",
        matter=matter if known else "",
        district=_choose(DISTRICTS, chance) if known else "",
    )


def usual() -> Json:
    """What such a day has by hours."""

    def of(share: float) -> list[float]:
        return [round(calls * share, 2) for calls in HOURLY]

    categories: dict[str, float] = {}
    total = sum(weight for _, weight in MATTERS.values())
    for category, weight in MATTERS.values():
        categories[category] = categories.get(category, 0.0) + weight / total
    return {
        "days": 8,
        "kind": "workday",
        "calls": list(HOURLY),
        "share_answered": 0.962,
        "categories": {name: of(share * 0.9) for name, share in categories.items()},
        "districts": {name: of(share * 0.9) for name, share in DISTRICTS.items()},
        "matters": {
            # One matter is much more than it used to be.
            name: of(weight / total * 0.9 * (0.4 if name == "水费异常与水表校验" else 1.0))
            for name, (_, weight) in MATTERS.items()
        },
    }


def no_usual() -> Json:
    """There is no usual day yet."""
    return {
        "days": 0,
        "kind": "workday",
        "calls": [0.0] * 24,
        "share_answered": None,
        "categories": {},
        "districts": {},
        "matters": {},
    }


def orders() -> Json:
    """The block of orders."""
    return {
        "open": 412,
        "overdue": 7,
        "due_soon": 31,
        "made_today": 96,
        "closed_today": 88,
        "today": {"satisfied": 61, "neutral": 5, "unsatisfied": 4, "unreached": 12},
        "month": {"satisfied": 1830, "neutral": 142, "unsatisfied": 101, "unreached": 377},
        "overdue_departments": [
            {"name": "市水务集团", "overdue": 4},
            {"name": "市公安局交通警察支队", "overdue": 2},
            {"name": "市住房和城乡建设局", "overdue": 1},
        ],
    }


def no_orders() -> Json:
    """Nothing was made of any call yet."""
    nobody = {"satisfied": 0, "neutral": 0, "unsatisfied": 0, "unreached": 0}
    return {
        "open": 0,
        "overdue": 0,
        "due_soon": 0,
        "made_today": 0,
        "closed_today": 0,
        "today": nobody,
        "month": nobody,
        "overdue_departments": [],
    }


def warnings() -> list[Json]:
    """Hot issues, the most pressing first."""
    return [
        warning("w-1", "燃气泄漏", ["定海区"], observed=2, expected=None, layer="safety", hour=9),
        warning("w-2", "水费异常与水表校验", ["普陀区"], observed=23, expected=3.1, hour=7),
        warning(
            "w-3", "汽车轮渡过渡收费与排队预约", [], observed=41, expected=17.6, hour=8, state="assigned"
        ),
        warning(
            "w-4",
            "海鲜市场 缺斤短两 拒绝退款",
            ["定海区", "普陀区"],
            observed=12,
            expected=1.2,
            layer="unknown",
            hour=6,
            state="acknowledged",
        ),
    ]


def warning(key: str, name: str, districts: Sequence[str], **more: Any) -> Json:
    """One hot issue; `hour` is when it began."""
    began = DAY + timedelta(hours=more.pop("hour", 7), minutes=40)
    return {
        "warning_id": key,
        "layer": "known",
        "name": name,
        "districts": list(districts),
        "observed": 10,
        "expected": 2.0,
        "since": began.isoformat(),
        "state": "open",
    } | more


def _event(kind: str, seq: int | None) -> Json:
    return {"type": kind, "seq": seq, "at": NOW.isoformat(), "call_id": None}


def _choose(weights: dict[str, float], chance: random.Random) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
