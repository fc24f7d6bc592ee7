"""A store that speaks S3, behind a real socket, and a cable to it that can be cut.

It is moto's server: it keeps what it is given in memory, and checks signatures no more than that. Who asks is
skipped where it is not installed.
"""

import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from knowledge_base.objects.folder import FolderObjects
from knowledge_base.objects.types import Objects
from tests.real_server import free_port

_WAIT_S = 120
_ENVIRONMENT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret"}


class Cable:
    """Carries connections to a port as long as it is not cut; `limit` bytes of each are carried at most."""

    def __init__(self, to_port: int):
        self._to_port = to_port
        self._ends: list[socket.socket] = []
        self._lock = threading.Lock()
        self._is_cut = False
        self.limit: int | None = None
        """How many bytes of a connection get through to the other side before the cable is cut."""
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Nobody gets through, and whoever was connected is no more."""
        with self._lock:
            self._is_cut = True
            for end in self._ends:
                _end(end)
            self._ends = []

    def mend(self) -> None:
        """It carries again, without limit."""
        with self._lock:
            self._is_cut, self.limit = False, None

    def close(self) -> None:
        self.cut()
        _end(self._door)
        self._thread.join()

    def _run(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            with self._lock:
                if self._is_cut:
                    _end(near)
                    continue
                try:
                    far = socket.create_connection(("127.0.0.1", self._to_port))
                except OSError:
                    _end(near)
                    continue
                self._ends += [near, far]
            threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        carried = 0
        with selectors.DefaultSelector() as waiting, near, far:
            try:
                waiting.register(near, selectors.EVENT_READ, far)
                waiting.register(far, selectors.EVENT_READ, near)
                while True:
                    for key, _ in waiting.select():
                        source: Any = key.fileobj
                        if not (data := source.recv(65_536)):
                            return
                        if source is near:
                            carried += len(data)
                            if self.limit is not None and carried > self.limit:
                                return
                        key.data.sendall(data)
            except (OSError, ValueError):
                return


class ObjectStore:
    """One server, reached through its cable."""

    def __init__(self) -> None:
        self._port = free_port()
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"MOTO_S3_CUSTOM_ENDPOINTS": ""},
        )
        until(lambda: _answers(self._port))
        self.cable = Cable(self._port)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.cable.port}"

    def bucket(self, *, keeps_versions: bool = False) -> str:
        """A new bucket's address."""
        client, name = self.client(), f"b-{uuid4().hex[:12]}"
        client.create_bucket(Bucket=name)
        if keeps_versions:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        client.close()
        return f"s3://{name}/house"

    def client(self) -> Any:
        """A client for looking behind; close it."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self._port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test-secret",
        )

    def pause(self) -> None:
        """It takes connections and says nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.go_on()
        self.cable.close()
        self._process.kill()
        self._process.wait()


def until(is_so: Callable[[], bool]) -> None:
    """As `tests.waiting.until_true`, for whoever runs no loop."""
    end = time.monotonic() + _WAIT_S
    while not is_so():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def _end(one: socket.socket) -> None:
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        one.close()


@pytest.fixture(scope="session")
def object_server() -> Iterator[ObjectStore]:
    """A running server, shared by the tests of one process."""
    if find_spec("moto") is None or find_spec("boto3") is None:
        pytest.skip("boto3 or moto is not installed")
    server = ObjectStore()
    yield server
    server.stop()


@pytest.fixture
def object_store(object_server: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """The same, with an unhurt cable, and keys to it in the environment."""
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    yield object_server
    object_server.go_on()
    object_server.cable.mend()


@pytest.fixture(params=["folder", "s3"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Objects]:
    """An empty place for objects, of each kind."""
    if request.param == "folder":
        root = tmp_path / "shared objects"
        root.mkdir()
        yield FolderObjects(root)
        return
    store: ObjectStore = request.getfixturevalue("object_store")
    from knowledge_base.objects.opening import open_objects

    opened = open_objects(store.bucket(), endpoint=store.endpoint)
    assert opened is not None
    yield opened
    opened.close()
