"""Which streams a fact of a call belongs to.

In: a fact and its call. Out: names of streams. Not known here: who follows them.
"""

from calls.types import (
    AlarmRaised,
    AlarmRated,
    AlarmTaken,
    Call,
    CallDegraded,
    CallEnded,
    CallInterrupted,
    CallLost,
    CallReconnected,
    CallStarted,
    CallTransferred,
    Fact,
    Stream,
)

_ALARMS = (AlarmRaised, AlarmTaken, AlarmRated)
_ON_THE_LIST = (
    *_ALARMS,
    CallStarted,
    CallTransferred,
    CallDegraded,
    CallLost,
    CallInterrupted,
    CallReconnected,
    CallEnded,
)


def streams_of(fact: Fact, call: Call) -> tuple[str, ...]:
    """The call's own stream first, then its operator's and the list's as they are concerned.

    A transfer stands in the streams of both operators: one is told that the call has left, one that it came.
    """
    streams = [Stream.call(call.call_id)]
    concerned = [fact.from_operator, fact.to_operator] if isinstance(fact, CallTransferred) else []
    for operator_id in dict.fromkeys([*concerned, call.operator_id]):
        if operator_id is not None:
            streams.append(Stream.operator(operator_id))
    if isinstance(fact, _ON_THE_LIST):
        streams.append(Stream.CALLS)
    return tuple(streams)
