"""What the benchmark counts, on stories with known answers, and that it plays calls as a line does."""

import json
from pathlib import Path

import numpy as np
import pytest

from asr.types import Party
from scripts.bench_figures import Figures, PlayedCall, Shown, Span, audible, letters, percentile
from scripts.bench_lines import Plan, play, read_tracks
from scripts.bench_live import Bench, Limits, find_capacity, run_live
from scripts.call_data import ReferenceCall, Turn, read_calls
from tests.house import Script, running

CITIZEN, OPERATOR = Party.CITIZEN, Party.OPERATOR


def turn(start_s: float, end_s: float, text: str, party: Party = CITIZEN) -> Turn:
    return Turn(party=party, start_s=start_s, end_s=end_s, text=text)


def shown(
    at_s: float, span: Span, text: str, *, number: int = 1, party: Party = CITIZEN, final: bool = False
) -> Shown:
    return Shown(
        at_s=at_s,
        segment_id=f"{party}-{number}",
        party=party,
        start_s=span[0],
        end_s=span[1],
        text=text,
        is_final=final,
    )


def played(turns: list[Turn], *events: Shown, played_s: float = 60.0, dropped_s: float = 0.0) -> PlayedCall:
    speech: dict[Party, list[Span]] = {CITIZEN: [], OPERATOR: []}
    for each in turns:
        speech[each.party].append((each.start_s, each.end_s))
    reference = ReferenceCall(
        call_id="C1", parties=(CITIZEN, OPERATOR), seconds=60.0, turns=tuple(turns), recording=None
    )
    return PlayedCall(
        reference=reference, speech=speech, played_s=played_s, shown=list(events), dropped_s=dropped_s
    )


def figures(*calls: PlayedCall) -> Figures:
    found = Figures()
    for call in calls:
        found.add(call)
    return found


def test_the_lag_of_a_turn_is_that_of_its_last_final() -> None:
    found = figures(
        played(
            [turn(1.0, 5.0, "我要投诉出租车")],
            shown(2.0, (1.0, 2.0), "我要"),
            shown(4.2, (0.8, 3.0), "我要投诉。", final=True),
            shown(5.9, (3.2, 5.2), "出租车。", number=2, final=True),
            shown(9.0, (5.1, 8.0), "margin only", number=3, final=True),
        )
    )
    assert found.final_lags_s == [pytest.approx(0.9)]
    assert found.first_lags_s == [pytest.approx(1.0)]
    assert found.lost_turns == 0


def test_a_first_partial_counts_once_two_of_its_characters_last() -> None:
    found = figures(
        played(
            [turn(1.0, 5.0, "我要投诉")],
            shown(1.8, (1.0, 1.6), "不药"),
            shown(2.6, (1.0, 2.4), "我药"),
            shown(3.0, (1.0, 2.9), "我药投"),
            shown(5.5, (0.9, 5.1), "我要投诉。", final=True),
        )
    )
    assert found.first_lags_s == [pytest.approx(2.0)]


def test_a_turn_of_one_character_needs_only_that_one() -> None:
    found = figures(
        played(
            [turn(1.0, 1.4, "嗯")], shown(2.0, (0.8, 1.6), "嗯"), shown(2.1, (0.8, 1.6), "嗯。", final=True)
        )
    )
    assert found.first_lags_s == [pytest.approx(1.0)]


def test_flicker_counts_every_character_that_was_taken_back() -> None:
    found = figures(
        played(
            [turn(1.0, 5.0, "我要投诉")],
            shown(2.0, (1.0, 2.0), "我药"),
            shown(3.0, (1.0, 3.0), "我要投，"),
            shown(5.5, (0.9, 5.1), "我要投诉。", final=True),
        )
    )
    assert (found.changed_characters, found.shown_characters) == (1, 5)
    assert found.cadences_s == [1.0, 2.5]


def test_speech_without_a_final_is_lost_and_speech_with_two_is_doubled() -> None:
    found = figures(
        played(
            [turn(1.0, 5.0, "一二三四"), turn(6.0, 8.0, "五六", OPERATOR), turn(10.0, 12.0, "七八")],
            shown(5.5, (1.0, 3.0), "一二", final=True),
            shown(5.6, (2.5, 4.0), "三", number=2, final=True),
            shown(8.9, (5.8, 8.2), "", party=OPERATOR, final=True),
            shown(13.0, (10.0, 12.0), "七八", number=3, final=True),
        )
    )
    assert found.speech_s == pytest.approx(8.0)
    assert found.lost_s == pytest.approx(1.0 + 2.0)
    assert found.doubled_s == pytest.approx(0.5)
    assert found.lost_turns == 1


def test_only_turns_played_to_their_end_count() -> None:
    found = figures(
        played(
            [turn(1.0, 3.0, "一二"), turn(4.0, 9.0, "三四")],
            shown(3.5, (0.9, 3.1), "一二", final=True),
            shown(7.0, (3.9, 6.0), "三", number=2, final=True),
            played_s=6.0,
            dropped_s=2.0,
        )
    )
    assert len(found.final_lags_s) == 1
    assert found.errors.rate == 0.0
    assert (found.lost_s, found.dropped_s) == (0.0, 2.0)


def test_pauses_within_a_turn_are_no_speech() -> None:
    rate = 8_000
    loud = np.random.default_rng(1).integers(-9000, 9000, rate).astype(np.int16)
    quiet = np.zeros(rate // 2, dtype=np.int16)
    spans = audible(np.concatenate([quiet, loud, quiet, loud, quiet]), rate, [turn(0.4, 3.6, "x")])
    assert spans == [
        (pytest.approx(0.5, abs=0.03), pytest.approx(1.5, abs=0.03)),
        (pytest.approx(2.0, abs=0.03), pytest.approx(3.0, abs=0.03)),
    ]


def test_letters_and_percentiles() -> None:
    assert letters("喂，ＡＢ 12。") == "喂AB12"
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([], 50) is None


@pytest.mark.parametrize(("carries", "answer"), [(0, 0), (1, 1), (6, 6), (16, 16), (37, 36)])
async def test_capacity_is_found_by_doubling_and_halving(carries: int, answer: int) -> None:
    tried = []

    async def run(calls: int) -> dict[str, object]:
        tried.append(calls)
        lag = 1.0 if calls <= carries else 3.0
        kept = {"refused": 0, "broken": 0, "dropped_s": 0.0, "lost": 0.1, "speech_s": 100.0}
        return kept | {"final_lag_p95_s": lag}

    found, reports = await find_capacity(run, Limits(p95_final_s=1.5), first=1)
    assert found == answer
    assert len(reports) == len(tried) == len(set(tried))


@pytest.mark.parametrize(
    "spoilt", [{"refused": 1}, {"broken": 1}, {"lost": 2.0}, {"dropped_s": 0.5}, {"final_lag_p95_s": None}]
)
def test_nothing_may_be_spoilt(spoilt: dict[str, object]) -> None:
    good = {
        "final_lag_p95_s": 1.0,
        "refused": 0,
        "broken": 0,
        "dropped_s": 0.0,
        "lost": 0.1,
        "speech_s": 100.0,
    }
    assert Limits(p95_final_s=1.5).are_kept(good)
    assert not Limits(p95_final_s=1.5).are_kept(good | spoilt)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two short recordings with references."""
    import av

    place = tmp_path / "calls"
    place.mkdir()
    for name in ("C1", "C2"):
        with av.open(str(place / f"{name}.wav"), "w") as container:
            stream = container.add_stream("pcm_s16le", rate=8000, layout="stereo")
            noise = np.random.default_rng(3).integers(-5000, 5000, (1, 2 * 24_000)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(noise, format="s16", layout="stereo")
            frame.sample_rate = 8000
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        reference = {
            "call_id": name,
            "channels": ["citizen", "operator"],
            "seconds": 3.0,
            "turns": [
                {"speaker": "citizen", "text": "第0秒", "start": 0.0, "end": 1.0, "relevant_topics": []}
            ],
        }
        (place / f"{name}.json").write_text(json.dumps(reference))
    return place


async def test_calls_are_played_in_real_time_and_measured_from_their_screens(
    folder: Path, tmp_path: Path
) -> None:
    tracks = read_tracks(read_calls(folder))
    assert {len(track.blocks) for track in tracks} == {30}
    async with running(tmp_path / "house") as house:
        report = await run_live(
            Bench(tracks=tracks, seconds=2.5, shared=tmp_path, server=house.url, token=None), 1
        )
    assert report["refused"] == report["broken"] == 0
    assert report["turns"] == 1
    assert 0.0 <= report["final_lag_p50_s"] < 1.0
    assert report["lost"] == pytest.approx(0.0, abs=0.03)
    assert (report["cer_streamed"], report["recordings"]) == (0.0, ["C1"])
    assert report["peak_rss_mb"] is None


async def test_a_refused_line_asks_again_and_is_counted(folder: Path, tmp_path: Path) -> None:
    tracks = read_tracks(read_calls(folder))
    async with running(tmp_path / "house", Script(max_calls=0)) as house:
        outcome = await play(tracks, Plan(server=house.url, token=None, calls=1, seconds=1.0))
    assert len(outcome.refusals) == 1
    assert outcome.refusals[0].startswith("call.refused: ")
    assert (outcome.unserved_lines, outcome.played) == (1, [])
