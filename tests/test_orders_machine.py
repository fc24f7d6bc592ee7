"""Every way through the states of an order, against a model that knows them in other words."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from calls.orders.deadlines import Deadlines
from calls.orders.directory import sample_directory
from calls.orders.events import EVENT_TYPES
from calls.orders.transitions import DEEDS, NAMES, RULES, deeds_of, edit, may_edit, merge, move
from calls.orders.types import (
    BadOrder,
    Deed,
    MatterType,
    NotYourPart,
    Order,
    OrderContent,
    OrderError,
    OrderState,
    Part,
    Person,
    Satisfaction,
    StepRefused,
    Urgency,
    Wish,
)

ROOT = Path(__file__).parent.parent
ZONE = ZoneInfo("Asia/Shanghai")
DEADLINES = Deadlines(zone=ZONE)
DIRECTORY = sample_directory()
START = datetime(2026, 2, 9, 9, 0, tzinfo=ZONE)

# Who may do what from where, as docs/orders.md has it: state → deed → (state after, parts).
MODEL: dict[str, dict[str, tuple[str, str]]] = {
    "draft": {"accept": ("accepted", "oc"), "merge": ("merged", "c")},
    "accepted": {
        "dispatch": ("dispatched", "c"),
        "answer_at_once": ("answered", "oc"),
        "merge": ("merged", "c"),
    },
    "dispatched": {
        "take": ("handling", "d"),
        "send_back": ("returned", "d"),
        "suspend": ("suspended", "c"),
        "merge": ("merged", "c"),
    },
    "handling": {
        "answer": ("answered", "d"),
        "send_back": ("returned", "d"),
        "suspend": ("suspended", "c"),
        "merge": ("merged", "c"),
    },
    "returned": {"dispatch": ("dispatched", "c"), "merge": ("merged", "c")},
    "suspended": {"resume": ("?", "c"), "merge": ("merged", "c")},
    "answered": {"follow_up": ("followed_up", "oc"), "rework": ("handling", "c")},
    "followed_up": {"close": ("closed", "c"), "rework": ("handling", "c")},
    "closed": {},
    "merged": {},
}
PARTS = {"o": Part.OPERATOR, "c": Part.CENTRE, "d": Part.DEPARTMENT}


def person(*parts: Part) -> Person:
    return Person(name="li", parts=frozenset(parts))


def order(number: int = 1, **content: object) -> Order:
    return Order(
        order_id=f"20260209-{number:06d}",
        version=1,
        state=OrderState.DRAFT,
        content=OrderContent(**({"type": MatterType.INQUIRY, "summary": "路灯不亮"} | content)),  # type: ignore[arg-type]
        created_by="li",
        created_at=START,
        changed_at=START,
    )


class Orders(RuleBasedStateMachine):
    """Two orders; everybody tries everything, with and without what it takes."""

    @initialize(
        type_=st.sampled_from(MatterType),
        urgency=st.sampled_from(Urgency),
    )
    def begin(self, type_: MatterType, urgency: Urgency) -> None:
        self.now = START
        self.orders = [order(number, type=type_, urgency=urgency) for number in (1, 2)]
        self.before_pause: list[str | None] = [None, None]
        self.worked: list[timedelta] = [timedelta(), timedelta()]

    @rule(hours=st.integers(1, 300))
    def wait(self, hours: int) -> None:
        later = self.now + timedelta(hours=hours)
        for place, one in enumerate(self.orders):
            if one.state.is_at_department:
                self.worked[place] += DEADLINES.passed(one.content.urgency, self.now, later)
        self.now = later

    @rule(
        place=st.integers(0, 1),
        deed=st.sampled_from(Deed),
        part=st.sampled_from("ocd"),
        is_whole=st.sampled_from([True, True, True, False]),
    )
    def do_anything(self, place: int, deed: Deed, part: str, is_whole: bool) -> None:
        self.do(place, deed, part, is_whole=is_whole)

    @rule(place=st.integers(0, 1), pick=st.integers(0, 11))
    def go_on(self, place: int, pick: int) -> None:
        """Something that the model has, so that the far ends are reached as well; merging less often."""
        ways = [(deed, who) for deed, (_, who) in MODEL[self.orders[place].state.value].items()]
        if len(ways) > 1 and pick:
            ways = [way for way in ways if way[0] != "merge"]
        if ways:
            deed, who = ways[pick % len(ways)]
            self.do(place, Deed(deed), who[0], is_whole=True)

    def do(self, place: int, deed: Deed, part: str, *, is_whole: bool) -> None:
        before, other = self.orders[place], self.orders[1 - place]
        ways = MODEL[before.state.value]
        expected, who = ways.get(deed.value, (None, None))
        if expected == "?":
            expected = self.before_pause[place]
        try:
            after, taker = self.done(before, other, deed, part, is_whole=is_whole)
        except OrderError as error:
            self.see_why_refused(
                error, before, other, deed, is_allowed=part in (who or ""), is_whole=is_whole
            )
            return
        assert expected is not None
        assert who is not None
        assert part in who
        assert after.state.value == expected
        assert (after.version, after.changed_at) == (before.version + 1, self.now)
        if deed is Deed.MERGE:
            assert not other.state.is_over
            assert replace(taker, version=other.version, changed_at=other.changed_at) == other
            self.orders[1 - place] = taker
        if deed is Deed.SUSPEND:
            self.before_pause[place] = before.state.value
        if deed in (Deed.DISPATCH, Deed.REWORK):
            self.worked[place] = timedelta()
        assert after.returns - before.returns == (deed is Deed.SEND_BACK)
        assert after.reworks - before.reworks == (deed is Deed.REWORK)
        self.orders[place] = after

    def done(
        self, before: Order, other: Order, deed: Deed, part: str, *, is_whole: bool
    ) -> tuple[Order, Order]:
        """What would come of it, for both orders."""
        wish = Wish(deed=deed)
        if is_whole:
            wish = Wish(
                deed=deed,
                note="因故",
                department_id="SZ05",
                answer="已办",
                satisfaction=Satisfaction.SATISFIED,
                into=other.order_id,
            )
        who = person(PARTS[part])
        if deed is Deed.MERGE and is_whole:
            return merge(before, other, wish, who, self.now)
        return move(before, wish, who, self.now, deadlines=DEADLINES, directory=DIRECTORY), other

    def see_why_refused(
        self, error: OrderError, before: Order, other: Order, deed: Deed, *, is_allowed: bool, is_whole: bool
    ) -> None:
        """A refusal has its reason in the model, and a sentence."""
        assert error.message.endswith("。")
        assert error.code.startswith("order.")
        if isinstance(error, BadOrder):
            assert not is_whole
        elif error.code == "order.not_at_once":
            assert before.content.type is not MatterType.INQUIRY
        elif error.code == "order.no_department":
            assert before.dispatched_at is None
        elif error.code == "order.target_over":
            assert other.state.is_over
        else:
            assert isinstance(error, NotYourPart | StepRefused)
            assert not is_allowed
            assert (error.code == "order.over") <= before.state.is_over

    @invariant()
    def everybody_may_do_what_the_model_says(self) -> None:
        for place, one in enumerate(getattr(self, "orders", ())):
            for deed in Deed:
                for part in "ocd":
                    self.attempt(place, one, deed, part)

    @invariant()
    def everybody_is_told_what_they_may_do(self) -> None:
        for one in getattr(self, "orders", ()):
            ways = MODEL[one.state.value]
            for letter, part in PARTS.items():
                told = {deed.value for deed in deeds_of(one, frozenset({part}))}
                may = {deed for deed, (_, who) in ways.items() if letter in who}
                if one.content.type is not MatterType.INQUIRY:
                    may -= {"answer_at_once"}
                if one.dispatched_at is None:
                    may -= {"rework"}
                assert told == may
                is_editable = one.state.value in ("draft", "accepted", "returned") and letter in "oc"
                assert may_edit(one, frozenset({part})) == is_editable

    def attempt(self, place: int, one: Order, deed: Deed, part: str) -> None:
        """Try it on a copy, with all that it takes."""
        _, who = MODEL[one.state.value].get(deed.value, ("", ""))
        try:
            self.done(one, self.orders[1 - place], deed, part, is_whole=True)
        except OrderError as error:
            self.see_why_refused(
                error, one, self.orders[1 - place], deed, is_allowed=part in who, is_whole=True
            )
        else:
            assert part in who

    @rule(place=st.integers(0, 1), part=st.sampled_from("ocd"))
    def write(self, place: int, part: str) -> None:
        before = self.orders[place]
        content = replace(before.content, detail=f"{before.content.detail}。")
        is_possible = before.state.value in ("draft", "accepted", "returned") and part in "oc"
        try:
            after = edit(before, content, person(PARTS[part]), self.now, directory=DIRECTORY)
        except OrderError:
            assert not is_possible
            return
        assert is_possible
        assert (after.state, after.content, after.version) == (before.state, content, before.version + 1)
        self.orders[place] = after

    @invariant()
    def fields_fit_the_state(self) -> None:
        for place, one in enumerate(getattr(self, "orders", ())):
            state = one.state
            assert (one.left_s is not None) == (state is OrderState.SUSPENDED)
            assert (one.resumes_to is not None) == (state is OrderState.SUSPENDED)
            assert (one.merged_into is not None) == (state is OrderState.MERGED)
            assert (one.closed_at is not None) == (state is OrderState.CLOSED)
            if state in (OrderState.DRAFT, OrderState.ACCEPTED, OrderState.RETURNED, OrderState.MERGED):
                assert one.due_at is None
            if state.is_at_department:
                assert one.due_at is not None
                assert one.content.department_id is not None
                limit = DEADLINES.options.limit(one.content.urgency).duration
                # However often it was held, what is left is what the department has not used up.
                left = limit - self.worked[place]
                assert one.is_overdue(self.now) == (left < timedelta())
                if left >= timedelta():
                    assert DEADLINES.passed(one.content.urgency, self.now, one.due_at) == left
            if state in (OrderState.ANSWERED, OrderState.FOLLOWED_UP, OrderState.CLOSED):
                assert one.answer
                assert one.answered_at is not None


TestOrders = Orders.TestCase
TestOrders.settings = settings(max_examples=200, stateful_step_count=60, deadline=None)


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("deed", [deed for deed in Deed if deed is not Deed.MERGE])
def test_every_step_that_the_model_knows_is_possible_and_no_other(state: OrderState, deed: Deed) -> None:
    one = replace(
        order(),
        state=state,
        due_at=START + timedelta(days=1),
        dispatched_at=START,
        left_s=60.0 if state is OrderState.SUSPENDED else None,
        resumes_to=OrderState.HANDLING if state is OrderState.SUSPENDED else None,
    )
    wish = Wish(
        deed=deed, note="因故", department_id="SZ05", answer="已办", satisfaction=Satisfaction.NEUTRAL
    )
    after, parts = MODEL[state.value].get(deed.value, (None, ""))
    for letter, part in PARTS.items():
        try:
            moved = move(one, wish, person(part), START, deadlines=DEADLINES, directory=DIRECTORY)
        except (NotYourPart, StepRefused):
            assert letter not in parts
        else:
            assert letter in parts
            assert moved.state.value == ("handling" if after == "?" else after)


def test_every_state_can_be_reached_and_named() -> None:
    reached = {after for ways in MODEL.values() for after, _ in ways.values()} | {"draft"}
    assert reached - {"?"} == {state.value for state in OrderState} == set(MODEL)
    assert set(NAMES) == set(OrderState)
    assert set(DEEDS) == set(Deed)


def test_the_page_says_what_may_be_done_and_explains_every_refusal() -> None:
    page = (ROOT / "docs" / "orders.md").read_text(encoding="utf-8")
    told = {}
    for deed, name, start, by in re.findall(
        r"^\| `(\w+)` (\w+) \| ([^|]+) \| [^|]+ \| ([^|]+) \|", page, re.M
    ):
        told[deed] = (name, set(re.findall(r"`(\w+)`", start)), set(by.strip().split(", ")))
    expected = {
        deed.value: (DEEDS[deed], {state.value for state in rule.states}, {part.value for part in rule.parts})
        for deed, rule in RULES.items()
    }
    assert told.pop("merge")[2] == {"centre"}
    assert set(MODEL) - {state for state, ways in MODEL.items() if "merge" in ways} == {
        "answered",
        "followed_up",
        "closed",
        "merged",
    }
    del expected["merge"]
    assert told == expected
    sources = [*(ROOT / "calls" / "orders").glob("*.py"), *(ROOT / "agent_ui").glob("order*.py")]
    codes = {
        code
        for path in sources
        for code in re.findall(r'"(order\.[a-z_]+)"', path.read_text(encoding="utf-8"))
    }
    # The first two are families; every one of theirs that is sent has a code of its own.
    assert {
        code for code in codes - {"order.error", "order.bad", *EVENT_TYPES} if f"`{code}`" not in page
    } == set()


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish(deed=Deed.SEND_BACK, note=" "), "order.reason_needed"),
        (Wish(deed=Deed.SEND_BACK, note="长" * 1001), "order.note_too_long"),
        (Wish(deed=Deed.ANSWER), "order.answer_needed"),
        (Wish(deed=Deed.ANSWER, answer="长" * 4001), "order.answer_too_long"),
    ],
)
def test_what_a_step_takes_is_asked_for(wish: Wish, code: str) -> None:
    one = replace(order(), state=OrderState.HANDLING, due_at=START)
    with pytest.raises(BadOrder) as refused:
        move(one, wish, person(Part.DEPARTMENT), START, deadlines=DEADLINES, directory=DIRECTORY)
    assert refused.value.code == code


def test_content_is_looked_at() -> None:
    for content, code in (
        (OrderContent(type=MatterType.HELP, summary=" "), "order.summary_needed"),
        (OrderContent(type=MatterType.HELP, summary="灯", department_id="ZX"), "order.unknown_department"),
    ):
        with pytest.raises(BadOrder) as refused:
            edit(order(), content, person(Part.CENTRE), datetime.now(UTC), directory=DIRECTORY)
        assert refused.value.code == code
