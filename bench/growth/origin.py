"""`python -m bench.growth.origin PORT`: photographs without an end, every URL another one, some after a while.

`/NAME/NUMBER/TEXT.jpg` is the corpus's photograph of that number, with the text in its bytes as a comment: another MD5
for each text, at next to no cost. On the second address every answer takes two seconds.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psutil

from bench.corpus import CORPORA, build
from deploy.local.ports import free_ports
from deploy.local.waiting import wait_until

QUICK, SLOW = ADDRESSES = ("127.0.0.2", "127.0.0.3")
SLOW_SECONDS = 2.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One connection that is kept alive; requests on it come one after the other."""

    def __init__(self, answer: Callable[[str], bytes], delay_seconds: float) -> None:
        self._answer = answer
        self._delay_seconds = delay_seconds
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for mypy
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer a request once it is there whole."""
        self._received += data
        if self._received.endswith(b"\r\n\r\n"):
            path = self._received.split(b" ", 2)[1].decode()
            self._received = b""
            if self._delay_seconds:
                asyncio.get_running_loop().call_later(self._delay_seconds, self._write, path)
            else:
                self._write(path)

    def _write(self, path: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(self._answer(path))


class Photographs:
    """The corpora in memory, once they were asked for."""

    def __init__(self) -> None:
        self._bodies: dict[str, list[bytes]] = {}

    def answer(self, path: str) -> bytes:
        """Give the whole HTTP answer for a path."""
        try:
            _, name, number, text = path.split("/")
            body = self._of(name)[int(number)]
        except (ValueError, LookupError):
            return MISSING
        comment = text.encode()
        marked = b"%b\xff\xfe%b%b%b" % (body[:2], (len(comment) + 2).to_bytes(2, "big"), comment, body[2:])
        return HEAD % len(marked) + marked

    def _of(self, name: str) -> list[bytes]:
        if name not in self._bodies:
            self._bodies[name] = [path.read_bytes() for path in build(CORPORA[name])]
        return self._bodies[name]


class Origin:
    """Names URLs that were never named before."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._named = 0
        self._run = f"{time.time_ns():x}"

    def urls(self, corpus: str, count: int, host: str = QUICK) -> Iterator[str]:
        """Give so many."""
        for _ in range(count):
            self._named += 1
            number = self._named % CORPORA[corpus].count
            yield f"http://{host}:{self._port}/{corpus}/{number}/{self._run}-{self._named:08}.jpg"


@contextmanager
def origin() -> Iterator[Origin]:
    """Have it, in a process of its own, for the length of a `with` block."""
    for corpus in CORPORA.values():
        build(corpus)
    port = free_ports(1)[0]
    process = psutil.Popen([sys.executable, "-m", "bench.growth.origin", str(port)], stdin=subprocess.DEVNULL)
    try:
        wait_until(lambda: _listens(process), 20, "the server of the photographs")
        yield Origin(port)
    finally:
        process.terminate()
        process.wait(10)


def _listens(process: psutil.Process) -> bool:
    listening = [each for each in process.net_connections("tcp4") if each.status == psutil.CONN_LISTEN]
    return len(listening) == len(ADDRESSES)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    photographs = Photographs()
    for host, delay_seconds in ((QUICK, 0.0), (SLOW, SLOW_SECONDS)):
        await loop.create_server(partial(Connection, photographs.answer, delay_seconds), host, port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
