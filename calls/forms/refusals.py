"""What can go wrong around the form of a call.

In: nothing. Out: errors. Not known here: what a form is.
"""

from typing import Any

from calls.types import CallError


class FormError(CallError):
    """What can go wrong around a form.

    FormError
    ├── FormChanged     somebody else changed it meanwhile; it is brought along
    ├── StaleForm       another process changed it between reading and writing
    ├── BadForm         what was given cannot be kept, or something is missing
    └── FormClosed      the order is on its way, so the form is over
    """

    code = "wrapup.error"


class FormChanged(FormError):
    """Somebody else was faster."""

    code = "wrapup.changed"

    def __init__(self, current: Any):
        super().__init__("这份工单草稿刚被别人改过，请看过最新内容再改。")
        self.current = current


class StaleForm(FormError):
    """It is not in the version any more in which it was read."""

    code = "wrapup.stale"

    def __init__(self) -> None:
        super().__init__("工单草稿刚被改过，请重试。")


class BadForm(FormError):
    """It cannot be kept, or not be made into an order, as it is."""

    code = "wrapup.bad"


class FormClosed(FormError):
    """Its order is with a department or over."""

    code = "wrapup.closed"

    def __init__(self, order_id: str):
        super().__init__(f"工单 {order_id} 已经派出，请在工单里补充。")
