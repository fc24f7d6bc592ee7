"""Gives a call its assistant, with what is on record of the call so far.

In: what opens assistants, the view of a call that is taken up again. Out: an assistant.
Not known here: files, engines, what an assistant does.
"""

import logging
from collections.abc import Callable

from calls.session import Assistant
from calls.view import CallView

log = logging.getLogger(__name__)


def assistant_of(
    call_id: str, view: CallView | None, open_assistant: Callable[[str], Assistant]
) -> Assistant:
    """One that knows what was said and shown before; where recalling that breaks, one that does not."""
    assistant = open_assistant(call_id)
    if view is None:
        return assistant
    marks = [(marked.article_id, marked.mark) for marked in view.marks.values()]
    try:
        assistant.recall(list(view.segments.values()), view.suggestion, marks)
    except Exception as error:  # whatever broke there, people still talk
        log.error("the assistant of call %s remembers nothing", call_id, exc_info=error)
        return open_assistant(call_id)
    return assistant
