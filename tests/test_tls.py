"""Encryption on the wire: which versions and cipher suites a server of ours takes, as clients find out."""

import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import ValidationError

from agent_ui.settings import Settings
from tests.real_server import ROOT, environment
from tests.test_siprec import certificate

SERVER = """
import sys
from pathlib import Path
from agent_ui.listening import listen
from agent_ui.settings import Settings

async def app(scope, receive, send):
    assert scope["type"] in ("http", "lifespan")
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

settings = Settings(tls_min=sys.argv[3], tls_ciphers=sys.argv[4], _env_file=None)
listen(
    app, host="127.0.0.1", port=0, max_message_bytes=1000, on_ready=lambda url: print(url, flush=True),
    certificate=(Path(sys.argv[1]), Path(sys.argv[2])), fit_tls=settings.fit_tls,
)
"""


@contextmanager
def serving(folder: Path, tls_min: str, ciphers: str) -> Iterator[int]:
    cert, key = certificate(folder)
    command = [sys.executable, "-c", SERVER, str(cert), str(key), tls_min, ciphers]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline().rpartition(":")[2])
        finally:
            server.terminate()


def spoken(port: int, version: ssl.TLSVersion, ciphers: str = "ALL:@SECLEVEL=0") -> tuple[str | None, str]:
    """The version and the suite that both agree on. Raises `SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers(ciphers)
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain) as line,
    ):
        suite = line.cipher()
        assert suite is not None
        return line.version(), suite[0]


def test_only_suites_with_forward_secrecy_and_authentication_are_spoken(tmp_path: Path) -> None:
    defaults = Settings(_env_file=None)  # type: ignore[call-arg]
    with serving(tmp_path, defaults.tls_min, defaults.tls_ciphers) as port:
        assert spoken(port, ssl.TLSVersion.TLSv1_3)[0] == "TLSv1.3"
        version, suite = spoken(port, ssl.TLSVersion.TLSv1_2)
        assert (version, suite.startswith("ECDHE-RSA-")) == ("TLSv1.2", True)
        assert "GCM" in suite or "CHACHA20" in suite
        for weak in (
            "AES128-SHA:AES256-SHA256:@SECLEVEL=0",
            "ECDHE-RSA-AES128-SHA:@SECLEVEL=0",
            "NULL:@SECLEVEL=0",
        ):
            with pytest.raises(ssl.SSLError):
                spoken(port, ssl.TLSVersion.TLSv1_2, weak)


def test_the_settings_hold(tmp_path: Path) -> None:
    with serving(tmp_path, "1.3", "ECDHE+AESGCM") as port:
        assert spoken(port, ssl.TLSVersion.TLSv1_3)[0] == "TLSv1.3"
        with pytest.raises(ssl.SSLError):
            spoken(port, ssl.TLSVersion.TLSv1_2)


def test_suites_that_nobody_knows_are_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="none of these cipher suites"):
        Settings(tls_ciphers="ECC-SM4-SM3", _env_file=None)  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Settings(tls_min="1.0", _env_file=None)  # type: ignore[arg-type, call-arg]
