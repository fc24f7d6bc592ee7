"""What kinds of danger there are, and how soon somebody must act.

In: nothing. Out: `AlarmKind`, `Severity`.
Not known here: words, calls, screens.
"""

from enum import StrEnum


class AlarmKind(StrEnum):
    """What the danger is; the values are what everybody calls it, in files and on the wire."""

    GAS = "gas"
    FIRE = "fire"
    FALL = "fall"
    ELECTRICITY = "electricity"
    SUICIDE = "suicide"
    MISSING = "missing"
    TRAPPED = "trapped"
    DROWNING = "drowning"
    VIOLENCE = "violence"
    COLLAPSE = "collapse"
    EXPLOSION = "explosion"
    POISONING = "poisoning"
    CROWD = "crowd"
    INJURY = "injury"


class Severity(StrEnum):
    """How soon somebody must act."""

    CRITICAL = "critical"
    """特急: somebody is in danger now."""
    URGENT = "urgent"
    """紧急: it may become that."""
