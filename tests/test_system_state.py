"""Figures become rows: what is well, what to look at, what is bad; and figures that are measured."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent_ui.figures import (
    CallFigures,
    DiskFigures,
    Figures,
    MachineFigures,
    SearchFigures,
    ServerFigures,
    WeightFigures,
    WordFigures,
)
from agent_ui.gauges import SIZES_KEPT_S, DiskGauge, MachineGauge, WordGauge, size_of
from agent_ui.state_rows import Level, Row, sections, worst
from asr.term_file import TermFile
from asr.terms import Term
from calls.journal import JournalStats
from tests.ear_parts import REMOTE
from tests.house import EARS, SERVED

NOW = datetime(2026, 3, 5, 10, 32, tzinfo=UTC)
GB = 1_000_000_000
WELL = Figures(
    at=NOW,
    server=ServerFigures(
        version="0.1.0",
        python="3.11.9",
        started_at=NOW - timedelta(hours=2),
        address="https://10.0.0.5:8300",
        is_guarded=True,
        is_open=False,
        is_settings_file_readable=True,
    ),
    machine=MachineFigures(
        cores=4, load=0.2, memory_total=16 * GB, memory_free=8 * GB, process_memory=2 * GB
    ),
    disk=DiskFigures(free=300 * GB, total=500 * GB, audio=GB, kb=GB, models=GB, database=GB),
    calls=CallFigures(running=3, max_calls=32, min_free_bytes=GB, refusal=None, screens=5),
    ears=EARS,
    search=SearchFigures(served=SERVED, published=SERVED.version, model="e5-small", reranker=""),
    journal=JournalStats(waiting=0, limit=1024, failed=0, last_failed_at=None),
    words=WordFigures(own=3, problem=None, file=Path("/data/lexicon.csv"), shipped=833, in_use=1200),
    weights=(WeightFigures(name="e5-small", folder=Path("/w/e5"), digest="ab" * 32, is_pinned=True),),
)


def row(figures: Figures, section: str, name: str) -> Row:
    found = next(one for one in sections(figures) if one.name == section)
    return next(row for row in found.rows if row.name == name)


def with_(part: str, **changes: object) -> Figures:
    return replace(WELL, **{part: replace(getattr(WELL, part), **changes)})  # type: ignore[arg-type]


def with_ears(**stats: object) -> Figures:
    return replace(WELL, ears=replace(EARS, stats=replace(EARS.stats, **stats)))  # type: ignore[arg-type]


def test_where_all_is_well_nothing_is_to_be_done() -> None:
    assert {section.level for section in sections(WELL)} == {Level.OK}
    assert not [row.name for section in sections(WELL) for row in section.rows if row.note]
    assert row(WELL, "server", "uptime").value == 7200
    assert row(WELL, "weights", "e5-small").value == "/w/e5（清单校验 abababababab）"


@pytest.mark.parametrize(
    ("figures", "section", "name", "level"),
    [
        (with_("server", is_guarded=False), "server", "is_guarded", Level.LOOK),
        (with_("server", is_open=True), "server", "is_open", Level.LOOK),
        (with_("server", is_settings_file_readable=False), "server", "settings_file", Level.BAD),
        (with_("machine", load=0.95), "machine", "load", Level.LOOK),
        (with_("machine", memory_free=GB), "machine", "memory_free", Level.LOOK),
        (with_("machine", memory_free=GB // 5), "machine", "memory_free", Level.BAD),
        (with_("disk", free=GB - 1), "disk", "free", Level.BAD),
        (with_("disk", free=4 * GB), "disk", "free", Level.LOOK),
        (with_("disk", free=20 * GB), "disk", "free", Level.LOOK),  # less than a twentieth
        (with_("calls", running=29), "calls", "running", Level.LOOK),
        (with_("calls", refusal="磁盘空间不足。"), "calls", "refusal", Level.BAD),
        (with_ears(load=0.8), "ears", "load", Level.LOOK),
        (with_ears(oldest_final_s=3.0), "ears", "oldest_final", Level.LOOK),
        (with_ears(oldest_final_s=5.1), "ears", "oldest_final", Level.BAD),
        (with_ears(failed=1), "ears", "failed", Level.LOOK),
        (with_("search", served=None, published=None), "search", "kb_version", Level.BAD),
        (with_("search", published="v2"), "search", "kb_version", Level.LOOK),
        (with_("journal", waiting=600), "journal", "waiting", Level.LOOK),
        (with_("journal", waiting=1024), "journal", "waiting", Level.BAD),
        (
            with_("journal", failed=1, last_failed_at=NOW - timedelta(minutes=9)),
            "journal",
            "failed",
            Level.BAD,
        ),
        (
            with_("journal", failed=1, last_failed_at=NOW - timedelta(hours=1)),
            "journal",
            "failed",
            Level.LOOK,
        ),
        (with_("words", own=None, problem="读不出来。"), "words", "file", Level.BAD),
    ],
)
def test_what_is_not_well_says_what_to_do(figures: Figures, section: str, name: str, level: Level) -> None:
    found = row(figures, section, name)
    assert found.level is level
    assert found.note is not None
    assert found.note.endswith(("。", "）。"))
    levels = {one.name: one.level for one in sections(figures)}
    assert levels.pop(section) is level
    assert set(levels.values()) == {Level.OK}  # nothing else is blamed


def test_weights_that_nobody_checks_are_worth_a_look() -> None:
    own = WeightFigures(name="ours", folder=Path("/w/ours"), digest=None, is_pinned=False)
    noted = WeightFigures(name="hub/x", folder=Path("/w/x"), digest="cd" * 32, is_pinned=False)
    figures = replace(WELL, weights=(own, noted))
    assert row(figures, "weights", "ours").level is Level.LOOK
    assert row(figures, "weights", "hub/x").level is Level.OK
    assert "下载时记录 cdcdcdcdcdcd" in str(row(figures, "weights", "hub/x").value)


def test_a_reranker_is_told_where_there_is_one() -> None:
    assert row(with_("search", reranker="bge"), "search", "reranker").value == "bge"


def test_the_worst_counts() -> None:
    assert worst([Level.LOOK, Level.OK, Level.BAD, Level.LOOK]) is Level.BAD
    assert worst([]) is Level.OK


def test_the_size_of_a_folder_is_what_is_in_it_and_no_more(tmp_path: Path) -> None:
    inside, elsewhere = tmp_path / "in", tmp_path / "elsewhere"
    (inside / "deep").mkdir(parents=True)
    empty = size_of(inside)
    elsewhere.write_bytes(b"x" * 1_000_000)
    (inside / "deep" / "a").write_bytes(b"x" * 100_000)
    (inside / "link").symlink_to(elsewhere)
    (inside / "round").symlink_to(inside)
    assert 100_000 <= size_of(inside) - empty < 120_000
    assert size_of(tmp_path / "nothing") == 0


def test_sizes_are_looked_at_again_after_a_while_and_free_space_each_time(tmp_path: Path) -> None:
    now_s = 0.0
    gauge = DiskGauge(tmp_path, lambda: now_s)
    (tmp_path / "audio").mkdir()
    before = gauge.read()
    (tmp_path / "audio" / "c-1.raw").write_bytes(b"x" * 1_000_000)
    (tmp_path / "zhiting.db").write_bytes(b"x" * 10_000)
    assert gauge.read().audio == before.audio
    now_s = SIZES_KEPT_S
    after = gauge.read()
    assert after.audio - before.audio >= 1_000_000
    assert after.database >= 10_000
    assert 0 < after.free <= after.total


def test_an_admins_words_are_counted_again_when_their_file_changes(tmp_path: Path) -> None:
    terms = TermFile(tmp_path / "lexicon.csv")
    gauge = WordGauge(terms)
    assert gauge.read() == (0, None)
    terms.put([Term(text="甬东桥"), Term(text="临城大桥")])
    assert gauge.read() == (2, None)
    terms.path.write_text("词\n甬东桥\n", encoding="utf-8")
    own, problem = gauge.read()
    assert own is None
    assert problem is not None
    assert "lexicon.csv" in problem
    assert gauge.read() == (own, problem)
    terms.path.unlink()
    assert gauge.read() == (0, None)


class Processor(MachineGauge):
    """A gauge of a processor that does what the test says."""

    def __init__(self) -> None:
        self.now_s = self.busy_s = self.waited_s = 0.0
        super().__init__(lambda: self.now_s, self.work_half)

    def _times(self) -> tuple[float, float]:
        return self.busy_s, self.now_s

    def work_half(self, seconds: float) -> None:
        self.waited_s += seconds
        self.go_on(seconds, load=0.5)

    def go_on(self, seconds: float, *, load: float) -> None:
        self.now_s += seconds
        self.busy_s += seconds * load


def test_the_load_is_that_since_the_last_look_but_never_that_of_long_ago() -> None:
    gauge = Processor()
    assert (gauge.read().load, gauge.waited_s) == (0.5, 0.25)  # just started: a glance
    gauge.go_on(4.0, load=1.0)
    assert gauge.read().load == 0.5  # too soon for another figure
    gauge.go_on(4.0, load=0.5)
    assert (gauge.read().load, gauge.waited_s) == (0.75, 0.25)
    gauge.go_on(3600.0, load=0.0)
    assert (gauge.read().load, gauge.waited_s) == (0.5, 0.5)


def test_the_figures_of_this_machine_are_possible() -> None:
    found = MachineGauge().read()
    assert 0 <= found.load <= 1
    assert found.cores >= 1
    assert 0 < found.memory_free <= found.memory_total
    assert 0 < found.process_memory < found.memory_total


def with_remote(**changes: object) -> Figures:
    return replace(WELL, ears=replace(EARS, remote=replace(REMOTE, **changes)))  # type: ignore[arg-type]


def test_recognising_machines_have_rows_where_there_are_some() -> None:
    assert "remote" not in [section.name for section in sections(WELL)]
    assert row(with_remote(), "remote", "ready").level is Level.OK
    assert row(with_remote(), "remote", "b/1").level is Level.LOOK
    nobody = REMOTE.ears[1:]
    assert row(with_remote(ears=nobody), "remote", "ready").level is Level.BAD
    assert row(with_remote(ears=nobody, is_standing_in=True), "remote", "ready").level is Level.LOOK
    assert row(with_remote(is_linked=False, trouble="连不上"), "remote", "linked").note == "连不上"
    others = (replace(REMOTE.ears[0], state="other_weights"),)
    assert row(with_remote(ears=others), "remote", "a/1").level is Level.BAD
