"""Lists of alarm words: what is written in them, and what is looked for.

In: lines of `类别,程度,词,近音,例句`. Out: `Rules`; `BadAlarmWords` names the line that cannot be read.
Not known here: texts, where lists are kept.

`词` is a row of parts with "…" between, each part a choice of words with "/" between. It is found where one
word of each part stands in this order, near each other and in one sentence: 煤气/燃气…漏了/味道. `近音` is
是 where words of two or more characters are also found as they sound. With `程度` 不算, what stands there is
passed over, however dangerous it reads.
"""

import csv
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from calls.safety.kinds import AlarmKind, Severity
from calls.safety.types import BadAlarmWords

NAMES = {
    "燃气": AlarmKind.GAS,
    "火情": AlarmKind.FIRE,
    "坠落": AlarmKind.FALL,
    "触电": AlarmKind.ELECTRICITY,
    "轻生": AlarmKind.SUICIDE,
    "走失": AlarmKind.MISSING,
    "被困": AlarmKind.TRAPPED,
    "溺水": AlarmKind.DROWNING,
    "暴力": AlarmKind.VIOLENCE,
    "坍塌": AlarmKind.COLLAPSE,
    "爆炸": AlarmKind.EXPLOSION,
    "中毒": AlarmKind.POISONING,
    "人群聚集": AlarmKind.CROWD,
    "伤病": AlarmKind.INJURY,
}
_SEVERITIES = {"特急": Severity.CRITICAL, "紧急": Severity.URGENT}
_HARMLESS = "不算"
_EVERY = "全部"
_YES_NO = ("是", "否", "")
COLUMNS = ("类别", "程度", "词", "近音", "例句")
MAX_ROWS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Parts in their order, each a choice of words."""

    parts: tuple[tuple[str, ...], ...]
    by_sound: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Words that mean danger."""

    kind: AlarmKind
    severity: Severity
    pattern: Pattern
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """All that is looked for, and what is passed over."""

    rules: tuple[Rule, ...]
    harmless: tuple[tuple[AlarmKind | None, Pattern], ...]
    """None: whatever the kind."""

    def __add__(self, other: "Rules") -> "Rules":
        """Both lists together."""
        return Rules(rules=self.rules + other.rules, harmless=self.harmless + other.harmless)


NO_RULES = Rules(rules=(), harmless=())


def read_rules(lines: Iterable[str]) -> Rules:
    """Read a list. Raises `BadAlarmWords`."""
    rows = csv.DictReader(lines)
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise BadAlarmWords(f"报警词表的第一行应是：{','.join(COLUMNS)}。")
    rules: list[Rule] = []
    harmless: list[tuple[AlarmKind | None, Pattern]] = []
    for row in rows:
        where = f"报警词表第 {rows.line_num} 行"
        if len(rules) + len(harmless) >= MAX_ROWS:
            raise BadAlarmWords(f"报警词表最多 {MAX_ROWS} 行。")
        kind, degree = (row["类别"] or "").strip(), (row["程度"] or "").strip()
        pattern = _pattern(row["词"] or "", row["近音"] or "", where)
        if degree == _HARMLESS and kind in (*NAMES, _EVERY):
            harmless.append((NAMES.get(kind), pattern))
        elif degree in _SEVERITIES and kind in NAMES:
            example = (row["例句"] or "").strip()
            rules.append(
                Rule(kind=NAMES[kind], severity=_SEVERITIES[degree], pattern=pattern, example=example)
            )
        else:
            raise BadAlarmWords(f"{where}：不认识的类别或程度“{kind},{degree}”。")
    return Rules(rules=tuple(rules), harmless=tuple(harmless))


def _pattern(words: str, by_sound: str, where: str) -> Pattern:
    if by_sound.strip() not in _YES_NO:
        raise BadAlarmWords(f"{where}：近音只能填“是”或“否”。")
    parts = tuple(
        tuple(filter(None, (_plain(word) for word in part.split("/")))) for part in words.split("…")
    )
    if not all(parts):
        raise BadAlarmWords(f"{where}：“{words}”里缺少词。")
    return Pattern(parts=parts, by_sound=by_sound.strip() == "是")


def _plain(word: str) -> str:
    return "".join(one for one in unicodedata.normalize("NFKC", word).lower() if one.isalnum())
