"""A server that says exactly what a test wants it to, byte by byte, and counts who came."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

Script = Callable[["Visit"], None]
OK = b"HTTP/1.1 200 OK\r\n"
JPEG_START = b"\xff\xd8\xff\xe0"
LITTLE_BYTES = 16 * 1024
"""As much is buffered when it is sent, so that what was sent is nearly what was read."""


class Visit:
    """One connection, as the script sees it."""

    def __init__(self, connection: socket.socket, number: int, ending: threading.Event) -> None:
        self.connection = connection
        self.number = number
        self.ending = ending
        self.sent_bytes = 0
        self.over = threading.Event()

    def request(self) -> bytes:
        """Give the next request's head, or nothing when the client has gone."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            piece = self.connection.recv(1)
            if not piece:
                return b""
            head += piece
        return head

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.sent_bytes += len(data)

    def pause(self, seconds: float) -> None:
        """Wait; raises OSError when the test is over, like a client that has gone."""
        if self.ending.wait(seconds):
            raise ConnectionError("the test is over")

    def drip(self, data: bytes, seconds: float) -> None:
        for byte in data:
            self.send(bytes([byte]))
            self.pause(seconds)


class RawServer:
    """Listens, and plays the script on each connection, on a thread for each."""

    def __init__(self, script: Script, host: str, tls: ssl.SSLContext | None, send_buffer_bytes: int) -> None:
        self._script = script
        self._send_buffer_bytes = send_buffer_bytes
        self._tls = tls
        self._listener = socket.create_server((host, 0), backlog=64)
        self.host, self.port = self._listener.getsockname()[:2]
        self.ending = threading.Event()
        self.visits: list[Visit] = []
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.port}{path}"

    @property
    def connections(self) -> int:
        return len(self.visits)

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._send_buffer_bytes)
            visit = Visit(connection, len(self.visits) + 1, self.ending)
            self.visits.append(visit)
            thread = threading.Thread(target=self._play, args=[visit])
            self._threads.append(thread)
            thread.start()

    def _play(self, visit: Visit) -> None:
        with suppress(OSError):
            if self._tls is not None:
                visit.connection = self._tls.wrap_socket(visit.connection, server_side=True)
            self._script(visit)
        visit.connection.close()
        visit.over.set()

    def end(self) -> None:
        self.ending.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._accepting.join()
        for visit in self.visits:
            with suppress(OSError):
                visit.connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


@contextmanager
def talking(
    script: Script,
    *,
    host: str = "127.0.0.2",
    tls: ssl.SSLContext | None = None,
    send_buffer_bytes: int = LITTLE_BYTES,
) -> Iterator[RawServer]:
    """Have a server that plays the script to everybody who connects."""
    server = RawServer(script, host, tls, send_buffer_bytes)
    try:
        yield server
    finally:
        server.end()


def answering(*parts: bytes) -> Script:
    """Say the same to each request, for as long as the client keeps the connection."""

    def script(visit: Visit) -> None:
        while visit.request():
            visit.send(b"".join(parts))

    return script


def saying_once(*parts: bytes) -> Script:
    """Answer one request and close in order."""

    def script(visit: Visit) -> None:
        visit.request()
        visit.send(b"".join(parts))

    return script


def whole(body: bytes, *headers: bytes) -> bytes:
    """Give an answer of success with its length."""
    lines = [b"Content-Length: %d" % len(body), *headers]
    return OK + b"\r\n".join(lines) + b"\r\n\r\n" + body
