"""Every request and every socket as a span, named by its route; never by its path, queries or headers.

In: requests. Out: the same, unchanged; a span each, within the trace that the caller brought.
Not known here: OpenTelemetry, what the routes do.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agent_ui.traces import RequestStep, TakeRequest

UNSEEN = ("/healthz", "/readyz", "/metrics")
"""Asked every few seconds, and nobody wonders how long they take."""
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "WS")


class TracedRequests:
    """The outermost layer, where traces are on. Before the house is open nothing is traced."""

    def __init__(self, app: ASGIApp):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on within a span."""
        take: TakeRequest | None = None
        if scope["type"] in ("http", "websocket") and scope["path"] not in UNSEEN:
            take = getattr(scope["app"].state, "take_request", None)
        if take is None:
            await self._app(scope, receive, send)
            return
        with take(_traceparent(scope)) as step:
            try:
                await self._app(scope, receive, _noting(send, step))
            finally:
                _name(step, scope)


def _traceparent(scope: Scope) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), "")


def _noting(send: Send, step: RequestStep) -> Send:
    async def send_noting(message: Message) -> None:
        if message["type"] == "http.response.start":
            step.note(status=message["status"])
            if message["status"] >= 500:
                step.fail(str(message["status"]))
        await send(message)

    return send_noting


def _name(step: RequestStep, scope: Scope) -> None:
    method = "WS" if scope["type"] == "websocket" else scope["method"]
    method = method if method in _METHODS else "_OTHER"
    step.note(method=method)
    route = getattr(scope.get("route"), "path", None)
    if isinstance(route, str):
        step.name(f"{method} {route}")
        step.note(route=route)
