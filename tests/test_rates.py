"""How often somebody may ask: buckets by themselves, then people, programs and addresses at the real door."""

from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus

from access.rates import Rates
from agent_ui.limits import CLOSE_TOO_OFTEN, Kind, Limiter, RateLimits, TooOften, kind_of
from agent_ui.settings import Settings
from tests.house import START, receive, running, send
from tests.test_audio_socket import closing_code
from tests.test_door import cookie, peopled, signed_in


def test_as_many_at_once_as_in_a_minute_and_then_evenly() -> None:
    rates = Rates()
    assert [rates.wait_s(("a",), 60, 100.0) for _ in range(60)] == [0.0] * 60
    assert rates.wait_s(("a",), 60, 100.0) == pytest.approx(1.0)
    assert rates.wait_s(("a",), 60, 100.4) == pytest.approx(0.6)  # who was refused waits no longer for it
    assert rates.wait_s(("b",), 60, 100.4) == 0.0
    assert rates.wait_s(("a",), 60, 101.0) == 0.0
    assert rates.wait_s(("a",), 60, 101.0) == pytest.approx(1.0)
    assert [rates.wait_s(("a",), 60, 200.0) for _ in range(61)] == [0.0] * 60 + [pytest.approx(1.0)]


@given(st.lists(st.floats(0, 30), max_size=200), st.integers(1, 50))
def test_no_minute_and_no_more_than_twice_its_number_is_let_through(steps: list[float], most: int) -> None:
    rates, now_s, let_in = Rates(), 1e6, []
    for step in steps:
        now_s += step
        wait_s = rates.wait_s(("a",), most, now_s)
        assert 0 <= wait_s <= 60
        if wait_s:
            assert rates.wait_s(("a",), most, now_s + wait_s + 1e-3) == 0.0  # it says when to come back
            now_s += wait_s + 1e-3
        let_in.append(now_s)
    for first in let_in:
        assert sum(first <= one < first + 60 for one in let_in) <= 2 * most


def test_a_flood_of_addresses_takes_no_memory() -> None:
    rates = Rates(most_keys=100)
    for number in range(1000):
        rates.wait_s((str(number),), 1, 0.0)
    assert len(rates) == 100
    assert rates.wait_s(("999",), 1, 0.0) > 0  # the last ones are remembered
    assert rates.wait_s(("0",), 1, 0.0) == 0.0


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/v1/calls", Kind.READ),
        ("GET", "/v1/search", Kind.READ),
        ("GET", "/v1/jobs", Kind.READ),
        ("GET", "/v1/reports", Kind.READ),
        ("GET", "/v1/calls/search", Kind.HEAVY),
        ("GET", "/v1/calls/c-1/export", Kind.HEAVY),
        ("GET", "/v1/reports/r-1/file", Kind.HEAVY),
        ("POST", "/v1/reports", Kind.HEAVY),
        ("POST", "/v1/jobs", Kind.HEAVY),
        ("POST", "/v1/orders/o-1/attachments", Kind.HEAVY),
        ("PATCH", "/v1/calls/c-1/wrapup", Kind.CHANGE),
        ("POST", "/v1/session", Kind.CHANGE),
        ("GET", "/", None),
        ("GET", "/static/js/app.js", None),
        ("GET", "/healthz", None),
        ("GET", "/readyz", None),
    ],
)
def test_what_a_request_counts_as(method: str, path: str, kind: Kind | None) -> None:
    assert kind_of(HTTPConnection({"type": "http", "method": method, "path": path, "headers": []})) is kind


def test_all_addresses_of_one_network_count_as_one() -> None:
    told: list[tuple[str, str]] = []
    limits = RateLimits(per_minute={Kind.READ: 1}, address_factor=2)
    limiter = Limiter(limits, on_limited=lambda kind, by: told.append((kind, by)), clock=lambda: 0.0)
    limiter.see_address("2001:db8::1", Kind.READ)
    limiter.see_address("2001:db8::ffff:2", Kind.READ)
    with pytest.raises(TooOften) as refused:
        limiter.see_address("2001:db8:0:0:7::3", Kind.READ)
    assert refused.value.message == "请求太频繁，请在 30 秒后再试。"
    limiter.see_address("2001:db8:1::1", Kind.READ)
    limiter.see_address("::ffff:10.0.0.1", Kind.READ)
    limiter.see_address("10.0.0.1", Kind.READ)
    with pytest.raises(TooOften):
        limiter.see_address("10.0.0.1", Kind.READ)
    limiter.see_address("10.0.0.2", Kind.READ)
    for _ in range(100):
        limiter.see_address("10.0.0.1", Kind.CHANGE)  # nothing is set for these: no limit
    assert told == [("read", "address")] * 2


def test_what_is_usual_is_far_below_what_is_let_through() -> None:
    limiter = Limiter(Settings(_env_file=None).rate_limits, clock=lambda: 0.0)  # type: ignore[call-arg]
    for _ in range(800):  # seats behind one address, all at the very moment after a restart
        for kind, times in ((Kind.READ, 30), (Kind.SOCKET, 4), (Kind.HEAVY, 1), (Kind.CHANGE, 2)):
            for _ in range(times):
                limiter.see_address("10.0.0.1", kind)


async def test_a_person_is_told_when_to_come_back_and_nobody_else_is_kept_out(tmp_path: Path) -> None:
    async with (
        peopled(tmp_path, rate_reads=5, rate_changes=3) as house,
        signed_in(house, "li") as li,
        signed_in(house, "admin") as admin,
    ):
        answers = [await li.get("/v1/session") for _ in range(6)]
        assert [one.status_code for one in answers] == [200] * 5 + [429]
        refused = answers[-1]
        assert refused.json()["detail"]["code"] == "rate.limited"
        assert refused.json()["detail"]["message"].endswith("秒后再试。")
        assert 1 <= int(refused.headers["Retry-After"]) <= 12
        assert "Content-Security-Policy" in refused.headers
        async with signed_in(house, "li") as elsewhere:  # another session of the same person
            assert (await elsewhere.get("/v1/session")).status_code == 429
            assert (await elsewhere.get("/healthz")).status_code == 200
            assert (await elsewhere.get("/")).status_code == 200
        made = await admin.post("/v1/tokens", json={"name": "监控", "scopes": ["metrics"]})
        program = {"Authorization": f"Bearer {made.json()['key']}"}
        async with httpx.AsyncClient(base_url=house.url, headers=program, timeout=60) as watch:
            for _ in range(20):  # twenty times as much as a person
                figures = await watch.get("/metrics")
                assert figures.status_code == 200
        assert 'zhiting_rate_limited_total{by="caller",kind="read"} 2.0' in figures.text
        assert 'zhiting_errors_total{code="rate.limited"} 2.0' in figures.text
        assert (await admin.get("/v1/session")).status_code == 200


async def test_an_address_is_counted_before_anybody_is_known(tmp_path: Path) -> None:
    limits = {"rate_reads": 1, "rate_sockets": 1, "rate_address_factor": 3}
    async with running(tmp_path, **limits) as house:
        async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
            answers = [await client.get("/v1/calls") for _ in range(4)]
            assert [one.status_code for one in answers] == [200] * 3 + [429]
            assert answers[-1].json()["detail"]["code"] == "rate.limited"
            assert int(answers[-1].headers["Retry-After"]) <= 20
        for _ in range(3):
            async with house.socket("/v1/screens/hall") as screen:
                assert (await receive(screen))["type"] == "hall.snapshot"
        with pytest.raises(InvalidStatus) as refused:
            async with house.socket("/v1/screens/hall"):
                pass
        assert refused.value.response.status_code == 429
        assert "Retry-After" in refused.value.response.headers


async def test_a_screen_opened_too_often_is_told_so_and_what_is_done_on_one_waits(tmp_path: Path) -> None:
    async with peopled(tmp_path, rate_sockets=3, rate_changes=60) as house, signed_in(house, "li") as li:
        headers = cookie(li)
        async with house.socket("/v1/calls/audio", additional_headers=headers) as line:
            await send(line, START | {"call_id": "c-1"})
            await receive(line)
            async with house.socket("/v1/screens/operators/027", additional_headers=headers) as screen:
                assert (await receive(screen))["type"] == "snapshot"
                for number in range(61):
                    await send(screen, {"type": "note.write", "note_id": f"n-{number}", "text": "记一笔"})
                written = set()
                while len(written) < 61:  # the last ones a second or more later, but none is lost
                    event = await receive(screen)
                    if event["type"] == "note.taken":
                        written.add(event["note_id"])
            async with house.socket("/v1/screens/operators/027", additional_headers=headers) as screen:
                assert (await receive(screen))["type"] == "snapshot"
            async with house.socket("/v1/screens/operators/027", additional_headers=headers) as screen:
                assert await closing_code(screen) == CLOSE_TOO_OFTEN
