"""What may be done with an order, by whom, and what becomes of it. Pure.

In: an order, a wish, who has it and when; deadlines and the directory.
Out: the order as it is then, one version on, or a refusal with a code and a sentence.
Not known here: how orders are kept, who may see them.

    draft ─accept► accepted ─dispatch► dispatched ─take► handling ─answer► answered
    answered ─follow_up► followed_up ─close► closed
    dispatched, handling ─send_back► returned ─dispatch► dispatched
    answered, followed_up ─rework► handling
    accepted ─answer_at_once► answered                                  (inquiries)

`suspend` and `resume` hold an order that is at a department; `merge` ends one that has no answer yet.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from calls.orders.deadlines import Deadlines, Due
from calls.orders.directory import Directory
from calls.orders.types import (
    BadOrder,
    Deed,
    MatterType,
    NotYourPart,
    Order,
    OrderContent,
    OrderState,
    Part,
    Person,
    StepRefused,
    Wish,
)

LONGEST_NOTE = 1_000
LONGEST_ANSWER = 4_000

_S = OrderState


@dataclass(frozen=True, slots=True)
class Rule:
    """From where a deed is possible, and in whose part."""

    states: frozenset[OrderState]
    parts: frozenset[Part]


def _rule(states: tuple[OrderState, ...], *parts: Part) -> Rule:
    return Rule(frozenset(states), frozenset(parts))


RULES: Mapping[Deed, Rule] = {
    Deed.ACCEPT: _rule((_S.DRAFT,), Part.OPERATOR, Part.CENTRE),
    Deed.DISPATCH: _rule((_S.ACCEPTED, _S.RETURNED), Part.CENTRE),
    Deed.TAKE: _rule((_S.DISPATCHED,), Part.DEPARTMENT),
    Deed.SEND_BACK: _rule((_S.DISPATCHED, _S.HANDLING), Part.DEPARTMENT),
    Deed.ANSWER: _rule((_S.HANDLING,), Part.DEPARTMENT),
    Deed.ANSWER_AT_ONCE: _rule((_S.ACCEPTED,), Part.OPERATOR, Part.CENTRE),
    Deed.REWORK: _rule((_S.ANSWERED, _S.FOLLOWED_UP), Part.CENTRE),
    Deed.FOLLOW_UP: _rule((_S.ANSWERED,), Part.OPERATOR, Part.CENTRE),
    Deed.CLOSE: _rule((_S.FOLLOWED_UP,), Part.CENTRE),
    Deed.SUSPEND: _rule((_S.DISPATCHED, _S.HANDLING), Part.CENTRE),
    Deed.RESUME: _rule((_S.SUSPENDED,), Part.CENTRE),
    Deed.MERGE: _rule(
        (_S.DRAFT, _S.ACCEPTED, _S.DISPATCHED, _S.HANDLING, _S.RETURNED, _S.SUSPENDED), Part.CENTRE
    ),
}

EDITABLE = frozenset({_S.DRAFT, _S.ACCEPTED, _S.RETURNED})
"""As long as no department has it: what is being handled is not changed under their hands."""

_EDITORS = frozenset({Part.OPERATOR, Part.CENTRE})

NAMES: Mapping[OrderState, str] = {
    _S.DRAFT: "草稿",
    _S.ACCEPTED: "已受理",
    _S.DISPATCHED: "已派单",
    _S.HANDLING: "办理中",
    _S.ANSWERED: "已答复",
    _S.FOLLOWED_UP: "已回访",
    _S.CLOSED: "已办结",
    _S.RETURNED: "已退回",
    _S.MERGED: "已合并",
    _S.SUSPENDED: "已挂起",
}
DEEDS: Mapping[Deed, str] = {
    Deed.ACCEPT: "受理",
    Deed.DISPATCH: "派单",
    Deed.TAKE: "签收",
    Deed.SEND_BACK: "退回",
    Deed.ANSWER: "答复",
    Deed.ANSWER_AT_ONCE: "当场答复",
    Deed.REWORK: "退回重办",
    Deed.FOLLOW_UP: "回访",
    Deed.CLOSE: "办结",
    Deed.SUSPEND: "挂起",
    Deed.RESUME: "恢复",
    Deed.MERGE: "合并",
}
_PARTS: Mapping[Part, str] = {Part.OPERATOR: "话务员", Part.CENTRE: "中心", Part.DEPARTMENT: "承办单位"}
_NEED_NOTE = frozenset({Deed.SEND_BACK, Deed.REWORK, Deed.SUSPEND})


def deeds_of(order: Order, parts: frozenset[Part]) -> tuple[Deed, ...]:
    """What may be done with it now by somebody in those parts, where they bring all that it takes."""
    return tuple(
        deed
        for deed, rule in RULES.items()
        if order.state in rule.states and parts & rule.parts and not _stands_in_the_way(order, deed)
    )


def may_edit(order: Order, parts: frozenset[Part]) -> bool:
    """Whether its content may be written anew now."""
    return order.state in EDITABLE and bool(parts & _EDITORS)


def _stands_in_the_way(order: Order, deed: Deed) -> bool:
    """What the order itself lacks, whatever somebody brings."""
    if deed is Deed.ANSWER_AT_ONCE:
        return order.content.type is not MatterType.INQUIRY
    return deed is Deed.REWORK and order.dispatched_at is None


def move(
    order: Order, wish: Wish, person: Person, now: datetime, *, deadlines: Deadlines, directory: Directory
) -> Order:
    """Do it. Raises `NotYourPart`, `StepRefused`, `BadOrder`. Merging takes two orders: `merge`."""
    if wish.deed is Deed.MERGE:
        raise BadOrder("合并要说明并入哪张工单。", code="order.target_needed")
    _see_whether_may(order, wish, person)
    asked = _Asked(order=order, wish=wish, now=now, deadlines=deadlines, directory=directory)
    return _next(_DONE[wish.deed](asked), order, now)


def merge(order: Order, into: Order, wish: Wish, person: Person, now: datetime) -> tuple[Order, Order]:
    """Let an order go on in another one; returns both. Raises as `move`.

    What is merged never changes again and an order that is merged takes none in, so there are no circles.
    """
    _see_whether_may(order, wish, person)
    if order.order_id == into.order_id:
        raise BadOrder("工单不能并入自己。", code="order.merge_into_itself")
    if into.state.is_over:
        message = f"工单 {into.order_id} {NAMES[into.state]}，不能再并入。"
        raise StepRefused(message, code="order.target_over")
    gone = replace(
        order,
        state=OrderState.MERGED,
        merged_into=into.order_id,
        due_at=None,
        is_due_provisional=False,
        left_s=None,
        resumes_to=None,
    )
    return _next(gone, order, now), _next(into, into, now)


def edit(
    order: Order, content: OrderContent, person: Person, now: datetime, *, directory: Directory
) -> Order:
    """Write down something else. Raises `NotYourPart`, `StepRefused`, `BadOrder`."""
    if not person.parts & _EDITORS:
        raise NotYourPart("只有话务员和中心可以修改工单内容。")
    if order.state not in EDITABLE:
        message = f"工单{NAMES[order.state]}，内容不能再改；需要补充请写批注。"
        raise StepRefused(message, code="order.not_editable")
    see_content(content, directory)
    return _next(replace(order, content=content), order, now)


def see_content(content: OrderContent, directory: Directory) -> None:
    """Raises `BadOrder` where something cannot be kept as it is."""
    if not content.summary.strip():
        raise BadOrder("请填写诉求摘要。", code="order.summary_needed")
    if content.department_id is not None:
        _see_department(content.department_id, directory)


def _see_whether_may(order: Order, wish: Wish, person: Person) -> None:
    rule = RULES[wish.deed]
    if not person.parts & rule.parts:
        who = "、".join(_PARTS[part] for part in Part if part in rule.parts)
        raise NotYourPart(f"“{DEEDS[wish.deed]}”由{who}操作。")
    if order.state not in rule.states:
        message = f"工单{NAMES[order.state]}，不能{DEEDS[wish.deed]}。"
        raise StepRefused(message, code="order.over" if order.state.is_over else None)
    if wish.deed in _NEED_NOTE and not wish.note.strip():
        raise BadOrder(f"请写明{DEEDS[wish.deed]}的原因。", code="order.reason_needed")
    if len(wish.note) > LONGEST_NOTE:
        raise BadOrder(f"说明最多 {LONGEST_NOTE} 字。", code="order.note_too_long")


def _see_department(department_id: str, directory: Directory) -> None:
    if not directory.may_handle(department_id):
        message = f"名录里没有编号为 {department_id[:40]} 的承办单位。"
        raise BadOrder(message, code="order.unknown_department")


def _next(changed: Order, before: Order, now: datetime) -> Order:
    return replace(changed, version=before.version + 1, changed_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A wish that is possible, with all that it needs."""

    order: Order
    wish: Wish
    now: datetime
    deadlines: Deadlines
    directory: Directory


def _accept(asked: _Asked) -> Order:
    return replace(asked.order, state=OrderState.ACCEPTED)


def _dispatch(asked: _Asked) -> Order:
    content = asked.order.content
    to = asked.wish.department_id or content.department_id
    if to is None:
        raise BadOrder("请选择承办单位。", code="order.department_needed")
    _see_department(to, asked.directory)
    return replace(
        _running(asked),
        state=OrderState.DISPATCHED,
        content=replace(content, department_id=to),
        dispatched_at=asked.now,
    )


def _take(asked: _Asked) -> Order:
    return replace(asked.order, state=OrderState.HANDLING)


def _send_back(asked: _Asked) -> Order:
    return replace(
        asked.order,
        state=OrderState.RETURNED,
        returns=asked.order.returns + 1,
        due_at=None,
        is_due_provisional=False,
    )


def _answer(asked: _Asked) -> Order:
    answer = asked.wish.answer.strip()
    if not answer:
        raise BadOrder("请填写答复内容。", code="order.answer_needed")
    if len(answer) > LONGEST_ANSWER:
        raise BadOrder(f"答复最多 {LONGEST_ANSWER} 字。", code="order.answer_too_long")
    return replace(asked.order, state=OrderState.ANSWERED, answer=answer, answered_at=asked.now)


def _answer_at_once(asked: _Asked) -> Order:
    kind = asked.order.content.type
    if kind is not MatterType.INQUIRY:
        message = f"“{kind}”要由承办单位办理，只有咨询可以当场答复。"
        raise StepRefused(message, code="order.not_at_once")
    return _answer(asked)


def _rework(asked: _Asked) -> Order:
    if asked.order.dispatched_at is None:
        message = "这张工单是当场答复的，没有承办单位可以重办，请另建工单。"
        raise StepRefused(message, code="order.no_department")
    return replace(
        _running(asked),
        state=OrderState.HANDLING,
        reworks=asked.order.reworks + 1,
        answered_at=None,
        satisfaction=None,
    )


def _follow_up(asked: _Asked) -> Order:
    if asked.wish.satisfaction is None:
        raise BadOrder("请选择市民是否满意；联系不上也要注明。", code="order.satisfaction_needed")
    return replace(asked.order, state=OrderState.FOLLOWED_UP, satisfaction=asked.wish.satisfaction)


def _close(asked: _Asked) -> Order:
    return replace(asked.order, state=OrderState.CLOSED, closed_at=asked.now)


def _suspend(asked: _Asked) -> Order:
    order = asked.order
    assert order.due_at is not None, "what is at a department has a deadline"
    left = asked.deadlines.passed(order.content.urgency, asked.now, order.due_at)
    is_late = left <= timedelta()
    return replace(
        order,
        state=OrderState.SUSPENDED,
        resumes_to=order.state,
        left_s=left.total_seconds(),
        due_at=order.due_at if is_late else None,  # a pause heals nothing
        is_due_provisional=order.is_due_provisional and is_late,
    )


def _resume(asked: _Asked) -> Order:
    order = asked.order
    assert order.resumes_to is not None
    assert order.left_s is not None
    resumed = replace(order, state=order.resumes_to, resumes_to=None, left_s=None)
    if order.left_s <= 0:
        return resumed
    left = timedelta(seconds=order.left_s)
    return _due(resumed, asked.deadlines.due_after(order.content.urgency, asked.now, left))


def _running(asked: _Asked) -> Order:
    return _due(asked.order, asked.deadlines.due(asked.order.content.urgency, asked.now))


def _due(order: Order, due: Due) -> Order:
    return replace(order, due_at=due.at, is_due_provisional=due.is_provisional)


_DONE: Mapping[Deed, Callable[[_Asked], Order]] = {
    Deed.ACCEPT: _accept,
    Deed.DISPATCH: _dispatch,
    Deed.TAKE: _take,
    Deed.SEND_BACK: _send_back,
    Deed.ANSWER: _answer,
    Deed.ANSWER_AT_ONCE: _answer_at_once,
    Deed.REWORK: _rework,
    Deed.FOLLOW_UP: _follow_up,
    Deed.CLOSE: _close,
    Deed.SUSPEND: _suspend,
    Deed.RESUME: _resume,
}
