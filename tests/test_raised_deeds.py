"""What people do with warnings, what is written down of it, and who is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from calls.webhooks.outbox import Outbox
from insight.raised.progress import Progress
from insight.raised.raising import going_on, has_grown, raised
from insight.raised.store import WarningFilter, WarningStore
from insight.raised.transitions import Deed, Wish, deeds_of, done
from insight.raised.types import (
    BadDeed,
    DeedRefused,
    Layer,
    Mute,
    RaisedWarning,
    WarningConflict,
    WarningState,
)
from insight.raised.wording import chance, explanation_of, title_of
from insight.types import EarlyWarning
from knowledge_base.json_text import loads
from tests.raised_parts import NOON, ZONE, desk_of, look

TOLD = EarlyWarning(
    raised_at=NOON,
    matter="停水",
    district="普陀区",
    districts=("普陀区",),
    window_h=6,
    observed=12,
    places=4,
    expected=1.3,
    probability=3e-6,
    false_share=0.01,
    since=NOON - timedelta(hours=4),
    sample_ids=("c2", "c1"),
)


def warning_of(told: EarlyWarning = TOLD, mutes: tuple[Mute, ...] = ()) -> RaisedWarning:
    return raised(
        told,
        layer=Layer.KNOWN,
        category="公用事业",
        departments=("市水务集团",),
        department_ids=("SW",),
        mutes=mutes,
        now=NOON,
    )


def kept(engine: Engine, told: EarlyWarning = TOLD) -> tuple[WarningStore, RaisedWarning]:
    store = WarningStore(engine)
    return store, store.add(warning_of(told), author="系统", day="20260610")


def test_it_says_in_words_why() -> None:
    assert title_of(warning_of()) == "普陀区：停水"
    assert explanation_of(warning_of(), ZONE) == (
        "6月10日 12:00 之前的 6 小时内，12 人反映，平时同样时段约 1.3 人（最早 6月10日 08:00）。"
        "来自 4 个不同地点。若一切如常，出现这么多人的可能性约为百万分之3。"
    )
    city = replace(TOLD, district=None, districts=("普陀区", "定海区"))
    assert title_of(warning_of(city)) == "全市：停水"
    assert "涉及普陀区、定海区" in explanation_of(warning_of(city), ZONE)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.03, "百分之3"),
        (0.002, "千分之2"),
        (4e-5, "十万分之4"),
        (9.9e-4, "万分之9"),
        (1e-12, "亿分之一以下"),
    ],
)
def test_chances_are_said_as_people_say_them(probability: float, words: str) -> None:
    assert chance(probability) == words


def test_each_deed_is_possible_where_it_makes_sense() -> None:
    warning = warning_of()
    assert set(deeds_of(warning, last=None)) == {
        Deed.ACKNOWLEDGE,
        Deed.ASSIGN,
        Deed.MUTE,
        Deed.CLOSE,
        Deed.RATE,
    }
    closed = done(warning, Wish(deed=Deed.CLOSE), author="zhao", now=NOON)
    assert set(deeds_of(closed, last=None)) == {Deed.REOPEN, Deed.RATE}
    with pytest.raises(DeedRefused, match="已关闭，不能再接收"):
        done(closed, Wish(deed=Deed.ACKNOWLEDGE), author="zhao", now=NOON)
    with pytest.raises(BadDeed, match="选一张工单"):
        done(warning, Wish(deed=Deed.ASSIGN), author="zhao", now=NOON)
    with pytest.raises(BadDeed, match="到什么时候"):
        done(warning, Wish(deed=Deed.MUTE), author="zhao", now=NOON)
    with pytest.raises(BadDeed, match="90 天"):
        done(warning, Wish(deed=Deed.MUTE, until=NOON + timedelta(days=91)), author="zhao", now=NOON)
    with pytest.raises(BadDeed, match="500 字"):
        done(warning, Wish(deed=Deed.CLOSE, note="长" * 501), author="zhao", now=NOON)
    danger = replace(warning, layer=Layer.SAFETY)
    with pytest.raises(DeedRefused, match="不能静默"):
        done(danger, Wish(deed=Deed.MUTE, until=NOON + timedelta(days=1)), author="zhao", now=NOON)


def test_who_is_slower_is_told_how_it_stands(engine: Engine) -> None:
    store, warning = kept(engine)
    desk = desk_of(engine, lambda: NOON)
    desk.do(warning.warning_id, Wish(deed=Deed.ACKNOWLEDGE), expected=1, author="zhao")
    with pytest.raises(WarningConflict) as refused:
        desk.do(warning.warning_id, Wish(deed=Deed.CLOSE), expected=1, author="sun")
    assert refused.value.current.state is WarningState.ACKNOWLEDGED
    assert [step.author for step in store.steps(warning.warning_id)] == ["系统", "zhao"]


def test_every_deed_can_be_taken_back_once(engine: Engine) -> None:
    _, warning = kept(engine)
    desk = desk_of(engine, lambda: NOON)
    wishes = (
        Wish(deed=Deed.ACKNOWLEDGE, note="看过"),
        Wish(deed=Deed.ASSIGN, order_id="20260610-000001"),
        Wish(deed=Deed.RATE, is_true=True),
        Wish(deed=Deed.MUTE, until=NOON + timedelta(days=1)),
        Wish(deed=Deed.CLOSE, note="已通水"),
    )
    version = 1
    for wish in wishes:
        before = desk.store.warning(warning.warning_id)
        desk.do(warning.warning_id, wish, expected=version, author="zhao")
        back = desk.do(warning.warning_id, Wish(deed=Deed.UNDO), expected=version + 1, author="zhao")
        is_same = replace(back, version=before.version, changed_at=before.changed_at, changed_by="")
        assert is_same == replace(before, changed_by=""), wish.deed
        with pytest.raises(DeedRefused, match="没有可以撤销"):
            desk.do(warning.warning_id, Wish(deed=Deed.UNDO), expected=version + 2, author="zhao")
        version = desk.do(warning.warning_id, wish, expected=version + 2, author="zhao").version
    assert desk.store.mutes(NOON)[0].matter == "停水"


def test_a_rating_says_who_and_when(engine: Engine) -> None:
    _, warning = kept(engine)
    desk = desk_of(engine, lambda: NOON)
    rated = desk.do(warning.warning_id, Wish(deed=Deed.RATE, is_true=False), expected=1, author="zhao")
    assert (rated.is_true, rated.rated_by, rated.rated_at) == (False, "zhao", NOON)
    assert desk.store.warnings(WarningFilter(is_true=False))[1] == 1
    assert desk.store.warnings(WarningFilter(is_rated=False))[1] == 0
    back = desk.do(warning.warning_id, Wish(deed=Deed.RATE), expected=2, author="zhao")
    assert (back.is_true, back.rated_by, back.rated_at) == (None, "", None)


def test_what_is_muted_is_raised_silently_and_opened_when_time_is_up(engine: Engine) -> None:
    _, warning = kept(engine)
    now = [NOON]
    desk = desk_of(engine, lambda: now[0])
    desk.lookout.open()
    until = NOON + timedelta(hours=3)
    desk.do(warning.warning_id, Wish(deed=Deed.MUTE, until=until), expected=1, author="zhao")
    again = warning_of(mutes=tuple(desk.store.mutes(NOON)))
    assert (again.state, again.muted_until) == (WarningState.MUTED, until)
    elsewhere = warning_of(replace(TOLD, district="定海区"), mutes=tuple(desk.store.mutes(NOON)))
    assert elsewhere.state is WarningState.OPEN
    look(desk)
    assert desk.store.warning(warning.warning_id).state is WarningState.MUTED
    now[0] = until
    look(desk)
    assert desk.store.warning(warning.warning_id).state is WarningState.OPEN
    assert desk.store.steps(warning.warning_id)[-1].action == "unmuted"
    assert desk.store.mutes(until) == []


def test_growing_is_told_each_time_it_has_doubled() -> None:
    warning = warning_of()

    def grown_to(before: RaisedWarning, callers: int) -> tuple[RaisedWarning, bool]:
        after = going_on(before, Progress(callers=callers, places=5, latest_at=NOON), NOON)
        return after, has_grown(before, after)

    warning, is_told = grown_to(warning, 20)
    assert not is_told
    warning, is_told = grown_to(warning, 24)
    assert is_told
    warning, is_told = grown_to(warning, 47)
    assert not is_told
    warning, is_told = grown_to(warning, 48)
    assert is_told


def test_other_systems_are_told_in_the_same_transaction(engine: Engine) -> None:
    outbox = Outbox(engine)
    receiver = outbox.add(
        name="市工单系统",
        url="http://127.0.0.1:9/hook",
        secret="whsec_" + "a" * 32,
        events=("warning.raised", "warning.changed"),
        author="admin",
        now=NOON,
    )
    _, warning = kept(engine)
    desk = desk_of(engine, lambda: NOON)
    desk.do(warning.warning_id, Wish(deed=Deed.ACKNOWLEDGE, note="看过"), expected=1, author="zhao")
    first = outbox.next(receiver.receiver_id)
    assert first is not None
    assert first.event.type == "warning.raised"
    body = loads(first.event.body)
    assert body["warning"]["warning_id"] == warning.warning_id
    assert body["warning"]["departments"] == ["市水务集团"]
    outbox.succeed(first, now=NOON)
    second = outbox.next(receiver.receiver_id)
    assert second is not None
    assert second.event.type == "warning.changed"
    assert loads(second.event.body)["what"] == {"action": "acknowledge", "author": "zhao", "note": "看过"}
    assert first.event.event_id != second.event.event_id


def test_a_department_finds_what_concerns_it(engine: Engine) -> None:
    store, warning = kept(engine)
    kept(engine, replace(TOLD, matter="噪声扰民"))
    assert store.warnings(WarningFilter(department_id="SW"))[1] == 2
    assert store.warnings(WarningFilter(department_id="ZJ")) == ([], 0)
    assert store.warnings(WarningFilter(words="停水"))[0] == [warning]
    assert store.warnings(WarningFilter(words="%"))[1] == 0
    assert store.warnings(WarningFilter(district="普陀区", layers=(Layer.KNOWN,)))[1] == 2
    assert store.warnings(WarningFilter(district="定海区"))[1] == 0
    assert store.counts(WarningFilter()) == {WarningState.OPEN: 2}
