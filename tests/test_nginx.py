"""The nginx of docs/deploy in front of real servers: pages, requests, sockets, uploads, one that is gone."""

import asyncio
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from scripts.machines.front import nginx_program, write_front
from tests.house import START, Script, receive, running, send, sound
from tests.real_server import free_port

NGINX = nginx_program()

pytestmark = pytest.mark.skipif(
    NGINX is None or shutil.which("openssl") is None, reason="nginx or openssl is not installed"
)


@contextmanager
def nginx(folder: Path, *upstreams: int) -> Iterator[tuple[int, ssl.SSLContext]]:
    """The configuration as it stands, with ports, servers, certificate and paths of this test."""
    plain, secure = free_port(), free_port()
    conf = write_front(
        folder,
        host="localhost",
        plain=f"127.0.0.1:{plain}",
        secure=f"127.0.0.1:{secure}",
        servers=[f"127.0.0.1:{port}" for port in upstreams],
    )
    process = subprocess.Popen([str(NGINX), "-c", str(conf), "-p", str(folder)])
    try:
        while not (folder / "pid").exists() or not (folder / "pid").read_text().strip():
            assert process.poll() is None, (folder / "error.log").read_text()
            time.sleep(0.01)
        yield secure, ssl.create_default_context(cafile=str(folder / "chain.pem"))
    finally:
        process.terminate()
        process.wait()


@asynccontextmanager
async def behind(tmp_path: Path) -> AsyncIterator[tuple[str, ssl.SSLContext, list[Script]]]:
    """Two servers with a place for one call each, and nginx in front."""
    scripts = [Script(max_calls=1), Script(max_calls=1)]
    proxied = {"proxies": ["127.0.0.1"], "token": "t" * 16, "max_calls": 1}
    async with (
        running(tmp_path / "a", scripts[0], **proxied) as one,  # type: ignore[arg-type]
        running(tmp_path / "b", scripts[1], **proxied) as two,  # type: ignore[arg-type]
    ):
        with nginx(tmp_path / "nginx", one.port, two.port) as (port, trust):
            yield f"localhost:{port}", trust, scripts


async def test_two_servers_behind_nginx(tmp_path: Path) -> None:
    bearer = {"Authorization": f"Bearer {'t' * 16}"}
    async with behind(tmp_path) as (host, trust, _):
        async with httpx.AsyncClient(
            base_url=f"https://{host}", verify=trust, headers=bearer, timeout=60
        ) as client:
            page = await client.get("/login")
            assert page.status_code == 200
            assert "default-src 'self'" in page.headers["content-security-policy"]
            assert (await client.get("/v1/calls")).json()["total"] == 0
            assert (await client.get("/metrics")).status_code == 404  # not from outside

            # An upload larger than any default of nginx, in the stream and not into its files first.
            form = {"files": ("a.wav", b"\0" * 5_000_000, "audio/wav")}
            answer = await client.post("/v1/jobs", files=form)
            assert answer.status_code != 413, answer.text
            assert not list((tmp_path / "nginx" / "client_body").glob("**/*.*"))

            # A foreign page is told from one of our own by the host's name, which nginx passes on.
            who = {"name": "nobody", "password": "not the password"}
            own, foreign = {"Origin": f"https://{host}"}, {"Origin": "https://evil.example"}
            assert (await client.post("/v1/session", json=who, headers=own)).status_code == 401
            assert (await client.post("/v1/session", json=who, headers=foreign)).status_code == 403

            def socket(path: str) -> connect:
                return connect(f"wss://{host}{path}", ssl=trust, additional_headers=bearer, open_timeout=60)

            async with socket("/v1/screens/calls") as screen, socket("/v1/calls/audio") as one:
                assert (await receive(screen))["type"]
                await send(one, START | {"call_id": "c-1", "operator_id": "027"})
                assert (await receive(one))["type"] == "started"
                await one.send(sound(1.0))
                assert (await client.get("/readyz")).status_code == 200  # the other one has a place
                async with socket("/v1/calls/audio") as two:  # and gets the second call
                    await send(two, START | {"call_id": "c-2", "operator_id": "028"})
                    assert (await receive(two))["type"] == "started"
                    await send(two, {"type": "stop"})
                    await send(one, {"type": "stop"})
        log = (tmp_path / "nginx" / "zhiting.log").read_text()
        assert "/v1/calls" in log


async def test_one_server_gone(tmp_path: Path) -> None:
    """Whoever asked the server that is gone is answered by the other one, without noticing."""
    async with running(tmp_path / "a", proxies=["127.0.0.1"], token="t" * 16) as house:
        with nginx(tmp_path / "nginx", free_port(), house.port) as (port, trust):
            bearer = {"Authorization": f"Bearer {'t' * 16}"}
            address = f"https://localhost:{port}"
            async with httpx.AsyncClient(
                base_url=address, verify=trust, headers=bearer, timeout=60
            ) as client:
                answers = await asyncio.gather(*(client.get("/v1/calls") for _ in range(10)))
                assert {answer.status_code for answer in answers} == {200}
                plain = json.loads((await client.get("/healthz")).text)
                assert plain == {"status": "ok"}
