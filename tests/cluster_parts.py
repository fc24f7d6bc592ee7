"""Made-up messages of a few matters, laid over the weeks of a year that never was."""

import random
import tomllib
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from insight.clusters.types import Said

ZONE = timezone(timedelta(hours=8))
START = datetime(2025, 3, 3, 9, tzinfo=ZONE)
MADE = tomllib.loads((Path(__file__).parent / "data" / "unnamed_matters.toml").read_text(encoding="utf-8"))
_THINGS: list[str] = MADE["others"]["things"]
_TROUBLES: list[str] = MADE["others"]["troubles"]
USUAL = [f"{thing}{trouble}" for n, thing in enumerate(_THINGS) for trouble in _TROUBLES[n % 5 :: 5]]
"""Hundreds of sentences in which every word of other things stands often."""

CRACKED = [f"翠屏雅苑{n}幢房屋因地铁施工墙体开裂" for n in range(1, 19)]
ROBED = [f"沁园实验学校{n}年级强制购买高价校服" for n in range(1, 11)]
"""Worded alike, for an embedder that knows nothing of meaning."""


def said(report_id: str, day: float, text: str, caller: str | None = None, district: str = "") -> Said:
    return Said(
        report_id=report_id,
        at=START + timedelta(days=day),
        caller=caller or f"of {report_id}",
        text=text,
        district=district,
    )


def spread(name: str, texts: Sequence[str], first_day: float, days: float) -> list[Said]:
    """One matter, evenly over some days."""
    step = days / len(texts)
    return [said(f"{name}-{n}", first_day + n * step, text) for n, text in enumerate(texts)]


def background(days: int, each_day: int = 4, seed: int = 1) -> list[Said]:
    """Other things, a few a day, each in a street that is seldom named twice."""
    rng = random.Random(seed)
    return [
        said(
            f"o{day}-{n}",
            day + rng.random() / 2,
            f"{_street(rng)}{rng.choice(_THINGS)}{rng.choice(_TROUBLES)}",
        )
        for day in range(days)
        for n in range(each_day)
    ]


def _street(rng: random.Random) -> str:
    signs = "春夏秋冬东西南北华丰康庆安和平文武金银玉石松柏梅兰竹菊桃李杏荷山水云月星日光明天地人"
    return "".join(rng.sample(signs, 3)) + rng.choice(["路", "街", "巷", "村", "桥", "园", "里", "坊"])


def in_order(*parts: Sequence[Said]) -> list[Said]:
    return sorted((one for part in parts for one in part), key=lambda one: (one.at, one.report_id))
