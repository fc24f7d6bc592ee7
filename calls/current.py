"""What the present task works for, so that whoever writes a log line of it can say so.

In: identifiers, set where a task begins. Out: the same, in all that it calls and starts.
Not known here: who asks. Nothing that a citizen said is ever put here.
"""

from collections.abc import Callable
from contextvars import ContextVar

call_id: ContextVar[str] = ContextVar("call_id", default="")
operator_of: ContextVar[Callable[[], str]] = ContextVar("operator_of", default=str)
"""Says at whose seat the call is now; empty where at none."""
trace_id: ContextVar[str] = ContextVar("trace_id", default="")
"""The trace under way, as 32 hexadecimal digits; empty where nobody traces."""
