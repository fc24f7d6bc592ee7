"""Who gets which file, where workers are put, and how long a file may be."""

import struct
from pathlib import Path

import pytest

from asr.batch.cluster.ledger import Ledger, Shares
from asr.batch.cluster.lengths import likely_seconds, look_at
from asr.batch.cluster.places import places_of
from asr.batch.cluster.types import Task
from asr.batch.sources import Named


def task(name: str, seconds: float, likeness: str = "") -> Task:
    return Task(path=Path("/calls") / name, name=name, likely_s=seconds, likeness=likeness)


def names(tasks: list[Task]) -> list[str]:
    return [one.name for one in tasks]


def test_the_longest_go_out_first_and_shares_shrink() -> None:
    ledger = Ledger([task(f"{n}", n) for n in range(1, 101)], Shares(least_s=10, most_s=500))
    ledger.hire("a")
    ledger.hire("b")
    shares = []
    order: list[Task] = []
    while not ledger.is_over:
        for worker in ("a", "b"):
            given = ledger.hand_out(worker)
            order += given
            shares.append(sum(one.likely_s for one in given))
            for one in given:
                assert ledger.end(worker, str(one.path)) == one
    assert names(order) == [f"{n}" for n in range(100, 0, -1)]
    assert shares[0] >= 500  # as much as one may have
    assert shares[-1] <= 20
    assert len(shares) > 10


def test_a_worker_with_enough_in_hand_gets_no_more() -> None:
    ledger = Ledger([task("long", 1000), task("short", 10)], Shares())
    ledger.hire("a")
    assert names(ledger.hand_out("a")) == ["long"]
    assert ledger.hand_out("a") == []
    ledger.hire("b")
    assert names(ledger.hand_out("b")) == ["short"]


def test_what_a_lost_worker_had_goes_to_others() -> None:
    ledger = Ledger([task("a", 30), task("b", 20)], Shares())
    ledger.hire("first")
    assert names(ledger.hand_out("first")) == ["a", "b"]
    assert ledger.end("first", "/calls/a") is not None
    assert ledger.lose("first") == []
    assert not ledger.is_over
    assert ledger.end("first", "/calls/b") is None  # a late word of somebody who is gone
    ledger.hire("second")
    assert names(ledger.hand_out("second")) == ["b"]
    ledger.end("second", "/calls/b")
    assert ledger.is_over


def test_a_file_that_ends_one_worker_after_the_other_is_found_and_given_up() -> None:
    ledger = Ledger([task("bad", 30), task("good", 20), task("fine", 10)], Shares(losses=3))
    given_up: list[Task] = []
    done: set[str] = set()
    lost = 0
    while not ledger.is_over:
        worker = f"worker-{lost}"
        ledger.hire(worker)
        while given := ledger.hand_out(worker):
            if "bad" in names(given):
                given_up += ledger.lose(worker)
                lost += 1
                break
            for one in given:
                ledger.end(worker, str(one.path))
                done.add(one.name)
    assert done == {"good", "fine"}
    assert [(one.name, one.losses) for one in given_up] == [("bad", 3)]
    assert lost == 3


def test_a_worker_that_is_no_good_costs_its_files_nothing() -> None:
    ledger = Ledger([task("a", 30)], Shares(losses=1))
    for worker in ("blind", "blind too"):
        ledger.hire(worker)
        assert names(ledger.hand_out(worker)) == ["a"]
        assert ledger.lose(worker, counts=False) == []
    assert not ledger.is_over


def test_copies_wait_for_the_first_of_them() -> None:
    ledger = Ledger([task("a", 5, "same"), task("copy", 5, "same"), task("b", 4, "other")], Shares())
    ledger.hire("one")
    ledger.hire("two")
    assert names(ledger.hand_out("one")) == ["a", "b"]
    assert ledger.hand_out("two") == []
    ledger.end("one", "/calls/a")
    assert names(ledger.hand_out("two")) == ["copy"]


@pytest.mark.parametrize("wrong", [{"least_s": 0}, {"least_s": 9, "most_s": 8}, {"losses": 0}])
def test_shares_are_checked(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must"):
        Shares(**wrong)


def node(name: str, *, alive: bool = True, **resources: float) -> dict[str, object]:
    return {"NodeID": name, "NodeManagerAddress": f"10.0.0.{name}", "Alive": alive, "Resources": resources}


def test_a_machine_gets_one_worker_or_one_for_so_many_cores() -> None:
    nodes = [node("1", CPU=16.0), node("2", CPU=6.0), node("3", memory=5.0), node("4", alive=False, CPU=8.0)]
    whole = places_of(nodes, cores=0, with_gpus=True)
    assert [(place.key, place.cores) for place in whole] == [("1/0", 16), ("2/0", 6)]
    parts = places_of(nodes, cores=4, with_gpus=True)
    assert [(place.key, place.cores) for place in parts] == [(f"1/{n}", 4) for n in range(4)] + [("2/0", 4)]
    assert [place.cores for place in places_of(nodes[1:2], cores=8, with_gpus=True)] == [6]


def test_a_machine_with_gpus_gets_a_worker_for_each() -> None:
    both = [node("1", CPU=32.0, GPU=2.0)]
    assert [(p.key, p.cores, p.has_gpu) for p in places_of(both, cores=0, with_gpus=True)] == [
        ("1/0", 16, True),
        ("1/1", 16, True),
    ]
    assert [(p.cores, p.has_gpu) for p in places_of(both, cores=0, with_gpus=False)] == [(32, False)]


def wav(seconds: int, byte_rate: int) -> bytes:
    body = bytes(n % 251 for n in range(seconds * byte_rate))
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 6, 2, byte_rate // 2, byte_rate, 2, 8)
    return (
        b"RIFF"
        + struct.pack("<I", len(body) + 36)
        + b"WAVE"
        + form
        + b"data"
        + struct.pack("<I", len(body))
        + body
    )


def test_lengths_are_seen_without_reading_the_sound(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(wav(20, 16_000))
    (tmp_path / "b.wav").write_bytes(wav(20, 16_000))
    (tmp_path / "c.mp3").write_bytes(b"\xff" * 80_000)
    (tmp_path / "d.wav").write_bytes(b"")
    files = [
        Named(path=tmp_path / name, name=name) for name in ("a.wav", "b.wav", "c.mp3", "d.wav", "none.wav")
    ]
    a, b, c, d, none = look_at(files)
    assert a.likely_s == pytest.approx(20, abs=0.01)
    assert a.likeness == b.likeness != c.likeness
    assert c.likely_s == pytest.approx(10)
    assert (d.likely_s, bool(d.likeness)) == (0, True)
    assert none.likeness == ""


def test_a_wav_that_says_nonsense_is_guessed_by_its_size() -> None:
    assert likely_seconds(".WAV", 160_000, wav(0, 16_000)[:28] + bytes(36)) == pytest.approx(10)
    assert likely_seconds(".wav", 160_000, b"RIFF") == pytest.approx(10)
