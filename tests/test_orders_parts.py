"""The parts that orders rest on: working days and deadlines, the directory, orders that are alike."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.orders.deadlines import DeadlineOptions, Deadlines, Limit
from calls.orders.directory import UnitKind, read_directory, sample_directory
from calls.orders.directory_file import DirectoryFile
from calls.orders.likeness import (
    LikenessOptions,
    Trace,
    count_repeats,
    find_duplicates,
    place_likeness,
)
from calls.orders.types import Urgency
from calls.orders.workdays import workday

ZONE = ZoneInfo("Asia/Shanghai")
DEADLINES = Deadlines(zone=ZONE)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("urgency", "start", "due"),
    [
        ("普通", "2026-03-02 09:30", "2026-03-05 09:30"),  # Monday to Thursday
        ("普通", "2026-03-05 15:00", "2026-03-10 15:00"),  # over a weekend
        ("紧急", "2026-03-06 15:00", "2026-03-09 15:00"),
        ("普通", "2026-03-07 15:00", "2026-03-12 00:00"),  # Saturday: from Monday 0:00
        # Spring Festival 2026: off from Sunday 15 to Monday 23 February, Saturdays 14 and 28 are worked.
        ("普通", "2026-02-13 15:00", "2026-02-25 15:00"),
        ("紧急", "2026-02-14 10:00", "2026-02-24 10:00"),
        ("紧急", "2026-02-17 10:00", "2026-02-25 00:00"),
        ("普通", "2026-02-26 10:00", "2026-03-02 10:00"),
        # National Day 2026: off from 1 to 7 October; Sunday 20 September and Saturday 10 October are worked.
        ("普通", "2026-09-30 15:00", "2026-10-10 15:00"),
        ("紧急", "2026-09-19 15:00", "2026-09-21 00:00"),
        ("普通", "2026-10-03 12:00", "2026-10-12 00:00"),
        ("特急", "2026-10-01 23:00", "2026-10-02 01:00"),  # holidays do not matter
    ],
)
def test_deadlines_pass_over_holidays(urgency: str, start: str, due: str) -> None:
    found = DEADLINES.due(Urgency(urgency), at(start))
    assert (found.at, found.is_provisional) == (at(due), False)
    assert DEADLINES.due(Urgency(urgency), at(start).astimezone(UTC)) == found


def test_a_year_that_is_not_known_yet_is_said_to_be_uncertain() -> None:
    assert workday(date(2026, 10, 10)).is_working
    assert not workday(date(2026, 10, 5)).is_working
    unknown = 2199
    assert not workday(date(unknown, 10, 1)).is_working
    assert not workday(date(unknown, 10, 1)).is_certain
    assert workday(date(unknown, 10, 8)).is_working  # a Tuesday
    assert not workday(date(unknown, 10, 12)).is_working  # a Saturday
    last = DEADLINES.due(Urgency.ROUTINE, at("2199-12-02 09:00"))
    assert last.is_provisional
    assert not DEADLINES.due(Urgency.CRITICAL, at("2199-12-02 09:00")).is_provisional


@given(
    urgency=st.sampled_from(Urgency),
    minutes=st.integers(0, 700 * 24 * 60),
    hours=st.integers(1, 400),
)
def test_what_was_reckoned_passes(urgency: Urgency, minutes: int, hours: int) -> None:
    start, duration = at("2025-01-01 00:00") + timedelta(minutes=minutes), timedelta(hours=hours)
    due = DEADLINES.due_after(urgency, start, duration)
    assert DEADLINES.passed(urgency, start, due.at) == duration
    assert DEADLINES.passed(urgency, due.at, start) == -duration
    if urgency is not Urgency.CRITICAL:
        assert workday(due.at.date()).is_working


def test_limits_can_be_set_and_take_time() -> None:
    options = DeadlineOptions(routine=Limit(duration=timedelta(days=5)))
    due = Deadlines(zone=ZONE, options=options).due(Urgency.ROUTINE, at("2026-03-02 09:00"))
    assert due.at == at("2026-03-09 09:00")
    with pytest.raises(ValueError, match="some time"):
        Limit(duration=timedelta())


HEADER = "编号,名称,类别,上级\n"
TREE = f"{HEADER}D1,定海区,区县,Z\nZ,中心,中心,\nB1,公安局,部门,D1\nB2,公安局,部门,Z\n"


def test_the_sample_directory_is_a_tree() -> None:
    directory = sample_directory()
    assert [len(directory.of_kind(kind)) for kind in UnitKind] == [1, 6, 122]
    assert [unit.name for unit in directory.way_to("DH02")] == [
        "市12345热线中心",
        "定海区",
        "定海区公安分局",
    ]
    assert all(directory.way_to(unit_id)[0].kind is UnitKind.CENTRE for unit_id in directory.units)
    assert len({unit.name for unit in directory.units.values()}) == 129


def test_a_directory_is_read_in_any_order_of_rows_and_columns() -> None:
    read = read_directory("\ufeff" + TREE)
    assert read.errors == ()
    assert read.directory is not None
    assert list(read.directory.units) == ["D1", "Z", "B1", "B2"]
    assert read.directory.may_handle("B1")
    assert not read.directory.may_handle("Z")
    assert not read.directory.may_handle("B9")
    assert read_directory("上级,类别,备注,名称,编号\n,中心,x,中心,Z\n").directory is not None


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", [(1, "directory.columns")]),
        ("编号,名称\n", [(1, "directory.columns")]),
        (HEADER, [(1, "directory.centre")]),
        (f"{TREE}Y,另一个,中心,\n", [(1, "directory.centre")]),
        (f"{TREE},无编号,部门,Z\nB3,,部门,Z\n", [(6, "directory.empty"), (7, "directory.empty")]),
        (f"{TREE}B3,交警,科室,Z\n", [(6, "directory.kind")]),
        (f"{TREE}B3,交警,部门,\n", [(6, "directory.parent")]),
        (f"{TREE}B3,交警,部门,Q\n", [(6, "directory.parent")]),
        (f"{TREE}B3,交警,部门,B1\n", [(6, "directory.parent")]),
        (f"{TREE}D2,普陀区,区县,D1\n", [(6, "directory.parent")]),
        (f"{TREE}B1,交警,部门,Z\n", [(6, "directory.repeated")]),
        (f"{TREE}B3,公安局,部门,Z\n", [(6, "directory.repeated")]),
        (f"{TREE}B3,{'长' * 101},部门,Z\n", [(6, "directory.too_long")]),
        (f"{TREE}B3\n", [(6, "directory.empty")]),
        (f"{TREE}B3,交\u200b警,部门,Z\n", [(6, "directory.unseen")]),
        (f"{TREE}D2,普陀区,县,Z\nB3,交警,部门,D2\n", [(6, "directory.kind")]),  # the cause alone
        (HEADER + "B,交警,部门,Z\n" * 5_001, [(5_002, "directory.too_many")]),
    ],
)
def test_every_row_that_cannot_be_taken_is_told(text: str, errors: list[tuple[int, str]]) -> None:
    read = read_directory(text)
    assert read.directory is None
    assert [(error.row, error.code) for error in read.errors] == errors
    assert all(error.message.endswith("。") for error in read.errors)


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    read = read_directory(HEADER + text)
    assert (read.directory is None) == bool(read.errors)


def test_a_directory_that_was_brought_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "departments.csv"
    file = DirectoryFile(path)
    assert len(file.now.units) == 129
    assert file.replace(f"{TREE}B3,交警,科室,Z\n").errors
    assert len(file.now.units) == 129
    assert file.replace("\ufeff" + TREE).errors == ()
    assert list(file.now.units) == list(DirectoryFile(path).now.units) == ["D1", "Z", "B1", "B2"]
    assert [one.name for one in tmp_path.iterdir()] == ["departments.csv"]
    assert not caplog.records
    for content in (b"\xff\xfe\xfd", HEADER.encode()):
        path.write_bytes(content)
        assert len(DirectoryFile(path).now.units) == 129
    assert len(caplog.records) == 2


OPTIONS = LikenessOptions()
LAMP, DARK, NOISE = np.eye(3, dtype=np.float32)[0], np.array([0.9, 0.435889894, 0], np.float32), np.eye(3)[1]


def trace(
    number: int,
    *,
    caller: str = "",
    place: str = "定海区环城南路216号",
    matter: object = LAMP,
    day: int = 5,
) -> Trace:
    return Trace(
        order_id=f"W{number}",
        caller=caller,
        place=place,
        matter=np.asarray(matter, np.float32),
        at=datetime(2026, 3, day, 9, 0, tzinfo=ZONE) if day > 0 else datetime(2026, 1, 1, tzinfo=ZONE),
    )


def test_the_same_matter_at_the_same_place_is_found() -> None:
    earlier = [
        trace(1),
        trace(2, matter=DARK, place="舟山市定海区环城南路２１６号门口"),
        trace(3, matter=NOISE),
        trace(4, place="定海区环城南路218号"),
        trace(5, place="嵊泗县菜园镇"),
        trace(6, day=0),  # too long ago
        trace(7, day=9),  # later
        trace(8, place=""),
    ]
    found = find_duplicates(trace(9), [*earlier, trace(9)], OPTIONS)
    assert [one.order_id for one in found] == ["W1", "W2"]
    assert found[1].matter == pytest.approx(0.9, abs=1e-6)
    assert found[1].place == 1.0


def test_without_a_place_the_caller_must_be_the_same() -> None:
    earlier = [
        trace(1, caller="139 0000 0000", place=""),
        trace(2, place=""),
        trace(3, caller="匿名", place=""),
    ]
    (found,) = find_duplicates(trace(9, caller="+8613900000000", place="未提供"), earlier, OPTIONS)
    assert (found.order_id, found.is_same_caller) == ("W1", True)
    assert find_duplicates(trace(9, caller="匿名", place=""), earlier, OPTIONS) == ()


def test_the_third_order_of_one_caller_is_a_repeat() -> None:
    mine = [trace(1, caller="13900000000", matter=NOISE), trace(2, caller="86-139-0000-0000", day=4)]
    others = [trace(3, caller="13900000001"), trace(4, caller="13900000000", day=0), trace(5)]
    new = trace(9, caller="13900000000", day=6)
    found = count_repeats(new, mine + others, OPTIONS)
    assert (found.order_ids, found.is_repeated) == (("W9", "W1", "W2"), True)
    assert not count_repeats(new, mine[:1] + others, OPTIONS).is_repeated
    assert count_repeats(trace(9), [trace(number) for number in range(1, 6)], OPTIONS).order_ids == ("W9",)


def test_places_are_compared_by_letters_and_numbers() -> None:
    assert place_likeness("", "定海区") is None
    assert place_likeness("定海区环城南路216号", "定海区环城南路218号") == 0.0
    assert place_likeness("临城街道海天大道", "临城街道海天大道681号") == 1.0
    likeness = place_likeness("临城街道海天大道", "沈家门街道滨港路")
    assert likeness is not None
    assert likeness < 0.5


def test_options_have_their_range() -> None:
    for wrong in ({"matter": 0.0}, {"place": 1.5}, {"within_days": 0.0}, {"repeats_from": 1}):
        with pytest.raises(ValueError, match=r"likeness|repeat"):
            LikenessOptions(**wrong)  # type: ignore[arg-type]
