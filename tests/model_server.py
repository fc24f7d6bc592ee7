"""A small real HTTP server that plays a language model's endpoint: it says what it was told to say."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Script:
    """What is answered, and what was asked."""

    body: bytes = b""
    status: int = 200
    delay_s: float = 0.0
    drip_s: float = 0.0
    """Seconds between single bytes."""
    refuses: tuple[str, ...] = ()
    """Forms of `response_format` that it does not take; "" for none."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    url: str = ""

    def says(self, content: str | dict[str, Any], finish: str = "stop") -> None:
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
        self.body = json.dumps({"object": "chat.completion", "choices": [choice]}).encode()


@contextmanager
def playing(script: Script) -> Iterator[Script]:
    """Serve on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.asked.append(asked)
            script.headers.append({name.lower(): value for name, value in self.headers.items()})
            script.paths.append(self.path)
            form = asked.get("response_format", {}).get("type", "")
            time.sleep(script.delay_s)
            self.send_response(422 if form in script.refuses else script.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            try:
                if script.drip_s:
                    for number in range(len(script.body)):
                        self.wfile.write(script.body[number : number + 1])
                        time.sleep(script.drip_s)
                else:
                    self.wfile.write(script.body)
            except OSError:
                pass  # who asked has gone

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        thread.join()
        server.socket.close()
