"""The pages themselves: plain files, served with headers that keep them to themselves.

In: an application. Out: the desk at `/`, other pages by their names, their files below `/static/`.
Not known here: what a page shows, who may come in.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles

_STATIC = Path(__file__).parent / "static"
_PAGES = {
    "/": "index.html",
    "/knowledge": "knowledge.html",
    "/orders": "orders.html",
    "/recordings": "recordings.html",
    "/records": "records.html",
    "/reports": "reports.html",
    "/system": "system.html",
    "/watch": "watch.html",
    "/warnings": "warnings.html",
    "/hall": "hall.html",
    "/login": "login.html",
    "/password": "password.html",
}
_POLICY = (
    "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)
"""`blob:` is a recording that a person has just chosen, which the page plays to them."""
_HEADERS = {
    "Cache-Control": "no-cache",  # asked for each time: an upgrade must not mix modules
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # an address may name a call
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def add_pages(app: FastAPI) -> None:
    """Serve the pages and their files."""
    app.middleware("http")(_guard)
    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    for address, file in _PAGES.items():
        app.add_api_route(address, _page(file), include_in_schema=False)


def _page(file: str) -> Callable[[], Awaitable[FileResponse]]:
    async def page() -> FileResponse:
        return FileResponse(_STATIC / file)

    return page


async def _guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Load nothing from elsewhere, and lend nothing to pages of others."""
    response = await answer(request)
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if not request.url.path.startswith("/docs"):  # FastAPI's own page of the API brings its script inline
        response.headers.setdefault("Content-Security-Policy", _POLICY)
    return response
