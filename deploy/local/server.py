"""RabbitMQ or MongoDB as a child of this process, without a supervisor: for tests and benchmarks."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from deploy.local.errors import StackError

START_SECONDS = 60
STOP_SECONDS = 20


class Server(Protocol):
    """What RabbitMQ and MongoDB have in common."""

    def prepare(self) -> None:
        """Make what it needs before it starts."""

    @property
    def command(self) -> tuple[str, ...]:
        """The program in the foreground, with its arguments."""

    @property
    def environment(self) -> dict[str, str]:
        """Variables to lay over the process's own."""

    def wait_until_ready(self, deadline_seconds: float, meanwhile: Callable[[], None]) -> None:
        """Return once it answers."""


def start(server: Server, log: Path) -> subprocess.Popen[bytes]:
    """Start a server in a process group of its own, its output appended to `log`, and wait until it answers."""
    server.prepare()
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            server.command,
            env={**os.environ, **server.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def raise_if_ended() -> None:
        if process.poll() is not None:
            raise StackError(f"{server.command[0]} ended with {process.returncode}; see {log}")

    try:
        server.wait_until_ready(START_SECONDS, raise_if_ended)
    except BaseException:
        stop(process)
        raise
    return process


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """End a server's whole process group: in order, by force after a while, or at once with SIGKILL."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def running(server: Server, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Have a server for the length of a `with` block."""
    process = start(server, log)
    try:
        yield process
    finally:
        stop(process)
