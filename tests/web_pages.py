"""A web server for tests that gives what it is told to, and keeps what was handed to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

GATE_SECONDS = 60.0


@dataclass
class Web:
    """Bodies by path, each with its type; and what was POSTed, answered with the statuses in turn, then with 200.

    What has a gate is answered once that is set.
    """

    base_url: str = ""
    pages: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    posted: list[tuple[Message, bytes]] = field(default_factory=list)

    def html(self, path: str, body: str) -> str:
        """Put a page there; gives its URL."""
        self.pages[path] = ("text/html; charset=utf-8", body.encode())
        return self.base_url + path


@contextmanager
def serving(host: str = "127.0.0.2") -> Iterator[Web]:
    """Serve on a free port."""
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append(self.path)
            if self.path in web.gates:
                web.gates[self.path].wait(GATE_SECONDS)
            kind, body = web.pages.get(self.path, ("", b""))
            self._answer(200 if kind else 404, body, kind or "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            web.posted.append((self.headers, body))
            self._answer(web.statuses.pop(0) if web.statuses else 200, b"", "text/plain")

        def _answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer((host, 0), Handler) as server:
        web.base_url = f"http://{host}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield web
        server.shutdown()
        thread.join(5)
