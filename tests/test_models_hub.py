"""The real `huggingface_hub` client against a small hub on this machine."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from models.hub import is_hub_name

ROOT = Path(__file__).resolve().parents[1]
FILES = {"config.json": b'{"a": 1}', "model.bin": b"weights" * 100, "onnx/model.onnx": b"another form"}
COMMIT = "a" * 40


class Hub(BaseHTTPRequestHandler):
    """The four requests that a download consists of."""

    def answer(self) -> tuple[bytes, dict[str, str]] | None:
        path = self.path.partition("?")[0]
        if path == "/api/models/some/model/revision/main":
            files = [{"rfilename": name} for name in FILES]
            return json.dumps({"id": "some/model", "sha": COMMIT, "siblings": files}).encode(), {}
        if path == f"/api/models/some/model/tree/{COMMIT}":
            entries = [
                {"type": "file", "path": name, "size": len(content), "oid": hashlib.sha1(content).hexdigest()}
                for name, content in FILES.items()
            ]
            return json.dumps(entries).encode(), {}
        prefix = f"/some/model/resolve/{COMMIT}/"
        if path.startswith(prefix) and path.removeprefix(prefix) in FILES:
            content = FILES[path.removeprefix(prefix)]
            return content, {"ETag": f'"{hashlib.sha1(content).hexdigest()}"', "X-Repo-Commit": COMMIT}
        return None

    def do_GET(self) -> None:
        answer = self.answer()
        content, headers = answer or (b"", {})
        self.send_response(200 if answer else 404)
        self.send_header("Content-Length", str(len(content)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815 - the name that the server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


SCRIPT = """
import sys
from pathlib import Path
from models.cache import resolve
from models.errors import MissingWeights
try:
    print(resolve(sys.argv[1], cache_dir=Path(sys.argv[2])))
except MissingWeights as problem:
    sys.exit(problem.message)
"""


def fetch(name: str, cache: Path, endpoint: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, because the client reads its endpoint when it is imported."""
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(cache / "home"), "HF_HUB_OFFLINE": "0"}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, name, str(cache)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **settings},
    )


def test_a_model_is_downloaded_without_its_other_formats(endpoint: str, tmp_path: Path) -> None:
    done = fetch("some/model", tmp_path, endpoint)
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.strip())
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    assert found == ["config.json", "downloaded.json", "model.bin"]
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]


def test_an_unknown_model_is_a_sentence(endpoint: str, tmp_path: Path) -> None:
    done = fetch("some/other", tmp_path, endpoint)
    assert done.returncode == 1
    assert "some/other could not be downloaded from the hub" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_hub_is_a_sentence(tmp_path: Path) -> None:
    done = fetch("some/model", tmp_path, "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "some/model could not be downloaded from the hub" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("owner/name", True),
        ("owner/name-v1.5@main", True),
        ("name", False),
        ("../name", False),
        ("/owner/name", False),
        ("a/b/c", False),
        ("owner/..", False),
        ("owner/name@", False),
    ],
)
def test_hub_names(text: str, expected: bool) -> None:
    assert is_hub_name(text) is expected
