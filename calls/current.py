"""What the present task works for, so that whoever writes a log line of it can say so.

In: identifiers, set where a task begins. Out: the same, in all that it calls and starts.
Not known here: who asks. Nothing that a citizen said is ever put here.
"""

from contextvars import ContextVar

call_id: ContextVar[str] = ContextVar("call_id", default="")
operator_id: ContextVar[str] = ContextVar("operator_id", default="")
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""The trace under way, as 32 hexadecimal digits; empty where nobody traces."""
