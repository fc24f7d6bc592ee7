"""How telling apart is counted, on turns that can be counted by hand."""

import pytest

from asr.types import Party
from scripts.call_data import Turn
from scripts.turn_scores import Share, Stretch, pooled_share, right_roles, right_speakers

TURNS = [
    Turn(party=Party.OPERATOR, start_s=0.0, end_s=4.0, text=""),
    Turn(party=Party.CITIZEN, start_s=5.0, end_s=11.0, text=""),
]


def test_speakers_are_numbered_as_is_best_for_the_call() -> None:
    for one, other in ((1, 2), (2, 1)):
        share = right_speakers(TURNS, [Stretch(0.0, 4.5, one), Stretch(4.5, 12.0, other)])
        assert share == Share(right_s=10.0, speech_s=10.0)
    whole = right_speakers(TURNS, [Stretch(0.0, 12.0, 1)])
    assert whole.rate == pytest.approx(0.6)


def test_a_role_that_is_wrong_or_unknown_is_not_right() -> None:
    found = [
        Stretch(0.0, 4.0, Party.OPERATOR),
        Stretch(5.0, 8.0, Party.MIXED),
        Stretch(8.0, 10.0, Party.OPERATOR),
    ]
    assert right_roles(TURNS, found) == Share(right_s=4.0, speech_s=9.0)
    swapped = [Stretch(0.0, 4.0, Party.CITIZEN), Stretch(5.0, 11.0, Party.OPERATOR)]
    assert right_roles(TURNS, swapped).rate == 0.0


def test_what_was_not_found_is_not_counted_and_shares_add_up() -> None:
    assert right_speakers(TURNS, []).rate == 1.0
    assert pooled_share([Share(right_s=1, speech_s=4), Share(right_s=5, speech_s=6)]) == 0.6
