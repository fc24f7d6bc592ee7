"""Which calls a reviewer looks at: some of each operator, drawn so that anybody can draw the same again.

In: scored calls of a day, the day, how many of each operator. Out: the chosen ones.
Not known here: where scores are kept.

Half of an operator's are drawn from the third with the lowest scores, the others from the rest.
"""

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from calls.quality.types import Judged


def draw_sample(calls: Sequence[Judged], day: date, *, each: int) -> list[Judged]:
    """Draw at most `each` calls of every operator."""
    by_operator: defaultdict[str, list[Judged]] = defaultdict(list)
    for call in calls:
        by_operator[call.operator_id or ""].append(call)
    return [
        one for operator in sorted(by_operator) for one in _drawn(by_operator[operator], day, operator, each)
    ]


def _drawn(calls: Sequence[Judged], day: date, operator: str, each: int) -> list[Judged]:
    chance = random.Random(f"{day.isoformat()}|{operator}")  # noqa: S311 - to be repeated, not to be secret
    ranked = sorted(calls, key=lambda call: (call.by_rules, call.call_id))
    low, rest = ranked[: -(-len(ranked) // 3)], ranked[-(-len(ranked) // 3) :]
    chance.shuffle(low)
    chance.shuffle(rest)
    from_low = min(len(low), max(-(-each // 2), each - len(rest)))
    drawn = low[:from_low] + rest[: each - from_low]
    return sorted(drawn, key=lambda call: (call.by_rules, call.call_id))
