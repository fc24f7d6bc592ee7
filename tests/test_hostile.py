"""A hostile hour: too much, too slow, in the wrong form, from the wrong place; each is refused in words."""

import asyncio
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection

from agent_ui.bodies import FILES, MOST_BYTES
from tests.house import START, House, receive, running, send, sound
from tests.test_access import PASSWORD
from tests.test_audio_socket import closing_code
from tests.test_door import cookie, peopled, signed_in
from tests.test_recordings import until_over, wav

CHANGES = ("post", "put", "patch", "delete")
ODD_IDS = (
    "../../zhiting.db",
    "..%2f..%2fzhiting.db",
    "%2e%2e%2f.local-key",
    "c-1%00",
    "c-1/../c-2",
    "ü" * 300,
)
BIDI, BELL = "\u202e", "\x07"


class Wire:
    """A client of plain bytes, who may do what no library would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, house: House) -> "Wire":
        return cls(*await asyncio.open_connection("127.0.0.1", house.port))

    async def ask(self, method: str, path: str, *heads: str, body: bytes = b"") -> tuple[int, Any]:
        lines = (f"{method.upper()} {path} HTTP/1.1", "Host: 127.0.0.1", *heads, "", "")
        self.writer.write("\r\n".join(lines).encode() + body)
        return await self.answer()

    async def answer(self) -> tuple[int, Any]:
        async with asyncio.timeout(60):  # on a busy machine a few passwords take long to compare
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
            content = await self.reader.readexactly(int(length[1]) if length else 0)
        return int(head.split()[1]), json.loads(content) if content.startswith(b"{") else content

    def close(self) -> None:
        self.writer.transport.abort()


async def routes_with_a_body(house: House) -> list[tuple[str, str]]:
    async with httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    return [
        (method, re.sub(r"{[^}]+}", "1", path))
        for path, methods in paths.items()
        for method, told in methods.items()
        if method in CHANGES and "requestBody" in told
    ]


async def test_no_route_reads_more_than_it_needs(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house:
        routes = [one for one in await routes_with_a_body(house) if one[1] not in FILES]
        assert len(routes) > 15
        for method, path in routes:
            wire = await Wire.open(house)
            heads = ("Content-Type: application/json", "Content-Length: 10000000000")
            status, said = await wire.ask(method, path, *heads)  # and not one byte of it
            # a route that reads its body itself asks first who is there
            refusals = ((413, "request.too_large"), (401, "access.unauthorised"))
            assert (status, said["detail"]["code"]) in refusals, (method, path)
            assert said["detail"]["message"].endswith("。")
            wire.close()


async def test_a_body_of_unknown_length_is_cut_off(tmp_path: Path) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'{"title": "'
        while True:
            await asyncio.sleep(0)
            sent += 65_536
            yield b"x" * 65_536

    async with peopled(tmp_path) as house:
        wire = await Wire.open(house)
        heads = ("Content-Type: application/json", "Transfer-Encoding: chunked")
        wire.writer.write("\r\n".join(("POST /v1/articles HTTP/1.1", "Host: x", *heads, "", "")).encode())
        asking = asyncio.create_task(wire.answer())
        async for part in endless():
            if asking.done():
                break
            wire.writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            with suppress(ConnectionError):  # it was closed while this was under way
                await asyncio.wait_for(wire.writer.drain(), 60)
        # who goes on sending may find the line cut before the answer was read
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            status, said = await asking
            assert (status, said["detail"]["code"]) == (413, "request.too_large")
        wire.close()
        assert sent < MOST_BYTES + 8_000_000  # what lay in the buffers of both sides


async def test_a_body_within_the_limit_is_read(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        long = {"title": "长", "body": "文" * 20_000, "questions": [f"{n}" + "问" * 490 for n in range(200)]}
        made = await client.post("/v1/articles", content=json.dumps(long).encode())
        assert made.status_code in (201, 422)
        made = await client.post("/v1/articles", json=long)
        assert made.status_code == 201
        assert len(json.dumps(long)) > 700_000  # written as \uXXXX


async def test_clients_that_fall_silent_are_sent_away_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_ui.listening.ASKS_WITHIN_S", 2.0)
    monkeypatch.setattr("agent_ui.bodies.STALLED_AFTER_S", 0.4)
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        screen = await house.socket("/v1/screens/calls")
        assert (await receive(screen))["type"] == "snapshot"
        silent = [await Wire.open(house) for _ in range(100)]
        for wire in silent[50:]:
            wire.writer.write(b"POST /v1/articles HTTP/1.1\r\nHost: 127.0.0.1\r\nX-")
        heads = ("Content-Type: application/json", "Content-Length: 100")
        assert (await client.get("/healthz")).status_code == 200
        half = await Wire.open(house)
        status, said = await half.ask("POST", "/v1/articles", *heads, body=b'{"title"')
        assert (status, said["detail"]["code"]) == (408, "request.stalled")
        for wire in silent:
            async with asyncio.timeout(60):
                assert await wire.reader.read() == b""
            wire.close()
        half.close()
        await asyncio.sleep(1)
        async with house.socket("/v1/calls/audio") as line:  # who was there before is there still
            await send(line, START)
            assert (await receive(line))["type"] == "started"
            assert (await receive(screen))["type"] in ("call.started", "snapshot")
        await screen.close()


async def test_two_thousand_wrong_logins_open_nothing_and_disturb_nobody(tmp_path: Path) -> None:
    counts: Counter[int] = Counter()
    names = ("admin", "li")

    async def guess(wire: Wire, number: int) -> None:
        name = (*names, f"n{number}")[number % 3]
        body = json.dumps({"name": name, "password": f"guess number {number}"}).encode()
        heads = ("Content-Type: application/json", f"Content-Length: {len(body)}")
        status, _ = await wire.ask("POST", "/v1/session", *heads, body=body)
        counts[status] += 1

    async def guess_on(house: House, first: int) -> None:
        wire = await Wire.open(house)
        for number in range(first, 2_000, 40):
            try:
                await guess(wire, number)
            except (ConnectionError, asyncio.IncompleteReadError):  # idle for seconds: this machine was busy
                wire.close()
                wire = await Wire.open(house)
                await guess(wire, number)
        wire.close()

    async with peopled(tmp_path) as house, signed_in(house, "li") as li:
        begun_s = time.monotonic()
        guessing = asyncio.gather(*(guess_on(house, first) for first in range(40)))
        waits = []
        while not guessing.done():
            asked_s = time.monotonic()
            assert (await li.get("/v1/session")).status_code == 200
            waits.append(time.monotonic() - asked_s)
            await asyncio.sleep(0.2)
        await guessing
        took_s = time.monotonic() - begun_s
        print(f"2,000 wrong logins: {took_s:.1f} s, {dict(counts)}; others waited {max(waits):.2f} s at most")
    assert counts.keys() == {401, 429}
    assert counts[401] <= 33  # 30 from one address, and those that were compared at that moment
    assert counts.total() == 2_000
    assert max(waits) < 30


async def test_a_call_of_another_seat_cannot_be_read_heard_steered_or_changed(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, signed_in(house, "li") as li, signed_in(house, "wang") as wang:
        query = {"name": "试.wav"}
        played = await li.post("/v1/calls/recordings", params=query, content=wav(4.0))
        call_id = played.json()["call_id"]
        for path in ("", "/audio?last_s=1", "/lines"):
            answer = await wang.get(f"/v1/calls/{call_id}{path}")
            assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "call.unknown"), path
        recording = f"/v1/calls/recordings/{call_id}"
        for answer in (
            await wang.get(recording),
            await wang.patch(recording, json={"paused": True}),
            await wang.delete(recording),
        ):
            assert (answer.status_code, answer.json()["detail"]["code"]) == (404, "recording.unknown")
        assert (await wang.get("/v1/calls/recordings")).json() == []
        async with house.socket(f"/v1/screens/calls/{call_id}", additional_headers=cookie(wang)) as screen:
            await screen.send(json.dumps({"type": "note.write", "note_id": "n", "text": "我来过"}))
            assert await closing_code(screen) == 4403
        async with house.socket("/v1/screens/operators/027", additional_headers=cookie(li)) as screen:
            assert (await receive(screen))["notes"] == []


@pytest.mark.parametrize(
    "message",
    [
        '{"type":"note.write","note_id":"n","text":' + "[" * 100_000,
        '{"type":"note.write","note_id":"n","text":"\\ud800"}',
        '{"type":"note.write","note_id":"n","text":"' + "长" * 2001 + '"}',
        '{"type":"note.write","note_id":"' + "n" * 65 + '","text":"x"}',
        '{"type":"segment.correct","segment_id":{"$ne":1},"text":"x"}',
        '{"type":"suggestion.mark","suggestion_id":"s-1","article_id":"A1","mark":"owned"}',
        '["note.write"]',
        "null",
        "1e999",
        b"\xff\xfe\x00",
    ],
    ids=lambda message: str(message[:40]),
)
async def test_messages_without_sense_are_told_and_disturb_nothing(
    tmp_path: Path, message: str | bytes
) -> None:
    async with running(tmp_path) as house:
        line = await house.socket("/v1/calls/audio")
        await send(line, START | {"call_id": "c-1"})
        await receive(line)
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive(screen)
            await screen.send(message)
            assert (await told(screen))["code"] == "screen.bad_command"
            await send(screen, {"type": "note.write", "note_id": "n", "text": "还在"})
            assert (await told(screen))["type"] == "note.taken"
        await line.close()


async def told(screen: ClientConnection) -> dict[str, Any]:
    """The next event that is not about sound."""
    while (event := await receive(screen))["type"] not in ("error", "note.taken"):
        pass
    return event


async def test_names_and_identifiers_lead_nowhere(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for odd in ODD_IDS:
            for path in ("calls/{}", "calls/{}/audio?last_s=1", "calls/{}/lines", "calls/recordings/{}"):
                answer = await client.get(f"/v1/{path.format(odd)}")
                assert answer.status_code in (404, 422), (path, odd)
                assert b"SQLite" not in answer.content
            assert (await client.get(f"/v1/articles/{odd}")).status_code in (404, 422), odd
            wire = await Wire.open(house)  # a library would tidy the path up
            status, _ = await wire.ask("GET", f"/v1/calls/{odd.encode().decode('latin-1')}/audio?last_s=1")
            assert status in (400, 404, 416, 422), odd
            wire.close()
        name = "../../../tmp/owned.wav"
        played = await client.post(
            "/v1/calls/recordings", params={"name": name, "speed": 4}, content=wav(1.0)
        )
        said = await until_over(house, played.json()["call_id"])
        assert said["name"] == name  # only a name
        imported = await client.post(
            "/v1/kb/import",
            params={"name": "../../owned.csv", "apply": True},
            content="标题,正文\n甲,乙\n".encode(),
        )
        assert imported.json()["new"] == 1
        terms = b"term\n../../owned\n"
        assert (await client.put("/v1/lexicon/file", content=terms)).status_code in (200, 422)
        odd_term = await client.delete("/v1/lexicon/terms/..%2f..%2fzhiting.db")
        assert odd_term.status_code == 404
    assert (tmp_path / "zhiting.db").exists()
    assert not [path for path in (*tmp_path.parent.rglob("owned*"), Path("/tmp/owned.wav")) if path.exists()]


async def test_what_cannot_be_shown_is_left_out(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        line = await house.socket("/v1/calls/audio")
        odd = {"caller": f"{BIDI}139{BELL}00000152", "dialled": f"12345{BIDI}", "operator_id": f"{BELL}027"}
        await send(line, START | {"call_id": "c-1"} | odd)
        assert (await receive(line))["type"] == "started"
        await line.send(sound(1.2))
        call = (await client.get("/v1/calls/c-1")).json()["call"]
        assert (call["caller"], call["dialled"], call["operator_id"]) == ("13900000152", "12345", "027")
        async with house.socket("/v1/screens/calls/c-1") as screen:
            await receive(screen)
            await send(screen, {"type": "note.write", "note_id": "n", "text": f"第一行\n{BIDI}第二{BELL}行"})
            assert (await told(screen))["text"] == "第一行\n第二行"
        await send(line, {"type": "stop"})
        assert (await receive(line))["type"] == "ended"
        article = {"title": f"标{BIDI}题{BELL}", "body": f"正\u2028文{BIDI}", "department": f"局{BELL}"}
        made = (await client.post("/v1/articles", json=article)).json()
        assert (made["title"], made["body"], made["department"]) == ("标题", "正\n文", "局")
        nothing = await client.post("/v1/articles", json=article | {"title": BIDI})
        assert (nothing.status_code, nothing.json()["detail"]["code"]) == (422, "kb.bad_article")
        async with house.socket("/v1/calls/audio") as line:
            await send(line, START | {"call_id": "c-2", "caller": BIDI})
            assert (await receive(line))["type"] == "started"
            assert (await client.get("/v1/calls/c-2")).json()["call"]["caller"] is None


async def test_a_password_and_a_page_of_another_site_never_come_together(tmp_path: Path) -> None:
    async with peopled(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for origin in (
            "http://evil.example",
            "null",
            f"http://127.0.0.1:{house.port + 1}",
            "https://127.0.0.1",
        ):
            body = {"name": "li", "password": PASSWORD}
            answer = await client.post("/v1/session", json=body, headers={"Origin": origin})
            assert (answer.status_code, answer.json()["detail"]["code"]) == (403, "access.foreign_origin")
            assert "set-cookie" not in answer.headers
        async with signed_in(house, "li") as li:
            for path in ("/v1/calls/audio", "/v1/screens/operators/027", "/v1/screens/operators/027/calls"):
                async with house.socket(path, origin="null", additional_headers=cookie(li)) as socket:
                    assert await closing_code(socket) == 4403, path
            form = {"Content-Type": "text/plain", "Origin": "http://evil.example"}
            sent = await li.post("/v1/articles/A1/reports", content='{"text":"x"}', headers=form)
            assert sent.status_code == 403


async def test_every_answer_keeps_itself_to_this_site(tmp_path: Path) -> None:
    async with running(tmp_path) as house, httpx.AsyncClient(base_url=house.url, timeout=60) as client:
        for path in ("/", "/hall", "/static/js/app.js", "/v1/calls", "/v1/calls/nobody", "/nowhere"):
            headers = (await client.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "unsafe" not in policy
            assert "frame-ancestors 'self'" in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]
            assert "access-control-allow-origin" not in headers
