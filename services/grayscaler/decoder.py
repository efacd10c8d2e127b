"""Decoding in a process of its own, which is all that a crash, an endless decode or a huge one costs."""

import logging
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from common.errors import Permanent, Poison, Unavailable
from common.metrics import DECODER_ENDS
from common.reasons import Reason
from services.grayscaler.exchange import OUT_OF_MEMORY, READY, Answer, Limits, read_answer, write_questions

log = logging.getLogger(__name__)

ROOT = Path(__file__).parents[2]
MODULE = "services.grayscaler.decoder_process"
START_SECONDS = 30.0
EXIT_SECONDS = 1.0
TOGETHER_BYTES = 64 * 1024


class Cause(StrEnum):
    """What ends a decoder process before its time."""

    CRASH = "crash"
    TIME = "time"
    MEMORY = "memory"


class _Ended(Exception):
    """The decoder process gave no answer and is no more."""

    def __init__(self, cause: Cause, detail: str) -> None:
        super().__init__(detail)
        self.cause = cause


class Decoder:
    """Has images decoded one at a time, by a process that is replaced when it fails; for one thread at a time."""

    def __init__(self, limits: Limits, *, seconds: float, memory_bytes: int, module: str = MODULE) -> None:
        self._limits = limits
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._module = module
        self._process: _Process | None = None
        for cause in Cause:
            DECODER_ENDS.labels(cause.value)

    def start(self) -> None:
        """Begin to start the process, so that the first image need not wait for it. Raises Unavailable."""
        self._process = self._process or self._new()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def decode(self, bodies: Sequence[bytes]) -> list[Answer]:
        """Give, for each image, its gray version or why there is none.

        That is Permanent with the reason, or Poison for what the process twice died of or never ended with. Raises
        Unavailable when there is no process to be had.
        """
        answers: list[Answer] = []
        for asked in _together(bodies):
            given, _ = self._ask(asked)
            answers += given
            # It was one of these that ended the process, or several of them were too much.
            answers += [self._ask_again(body) for body in asked[len(given) :]]
        return answers

    def _ask_again(self, body: bytes) -> Answer:
        given, end = self._ask([body])
        if end is None:
            return given[0]
        return Permanent(Reason.DECODE, str(end)) if end.cause is Cause.MEMORY else Poison(str(end))

    def _ask(self, bodies: Sequence[bytes]) -> tuple[list[Answer], "_Ended | None"]:
        """Give the answers that come, and what ended the process before it had given all of them."""
        process = self._process = self._process or self._new()
        given: list[Answer] = []
        try:
            process.ask(bodies, self._seconds)
            while len(given) < len(bodies):
                given.append(process.answer(self._limits))
        except _Ended as end:
            self.close()
            DECODER_ENDS.labels(end.cause.value).inc()
            log.warning("decoder replaced: %s", end)
            return given, end
        except Unavailable:
            self.close()
            raise
        return given, None

    def _new(self) -> "_Process":
        return _Process(self._module, self._limits, self._memory_bytes)


class _Process:
    """One decoder process and the socket it is asked over. It ends with the thread that made it, or with the socket."""

    def __init__(self, module: str, limits: Limits, memory_bytes: int) -> None:
        arguments = [str(memory_bytes), ",".join(limits.formats), str(limits.max_pixels), str(limits.max_gray_bytes)]
        # Nothing of our own environment: the addresses and passwords of the broker and the database are there.
        environment = {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-m", module, *arguments]
        self._is_ready = False
        self._deadline = 0.0
        self._socket, theirs = socket.socketpair()
        with theirs:
            try:
                self._popen = subprocess.Popen(  # noqa: S603 - nothing in it is a stranger's
                    command, env=environment, stdin=theirs.fileno(), stdout=subprocess.DEVNULL
                )
            except OSError as error:
                self._socket.close()
                raise Unavailable(f"the decoder cannot be started: {error}") from error

    def ask(self, bodies: Sequence[bytes], seconds: float) -> None:
        """Have images decoded within so many seconds. Raises Unavailable when it does not start, and _Ended."""
        if not self._is_ready:
            self._await_ready()
        self._deadline = time.monotonic() + seconds
        with self._watched():
            self._socket.settimeout(seconds)
            self._socket.sendall(write_questions(bodies))

    def answer(self, limits: Limits) -> Answer:
        """Give the next answer. Raises _Ended."""
        with self._watched():
            return read_answer(self._receive, limits)

    def kill(self) -> None:
        """End it at once."""
        self._socket.close()
        self._popen.kill()
        self._popen.wait()

    def _await_ready(self) -> None:
        self._deadline = time.monotonic() + START_SECONDS
        try:
            with self._watched():
                self._is_ready = self._receive(len(READY)) == READY
        except _Ended as end:
            raise Unavailable(f"the decoder does not start: {end}") from end

    def _receive(self, count: int) -> bytes:
        """Read so many bytes. Raises EOFError, or OSError, of which TimeoutError is one."""
        parts: list[bytes] = []
        while count:
            self._socket.settimeout(max(self._deadline - time.monotonic(), 0.001))
            part = self._socket.recv(count)
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Tell apart what may go wrong with the process."""
        try:
            yield
        except TimeoutError as error:
            raise _Ended(Cause.TIME, "decoding took too long") from error
        except (OSError, EOFError) as error:
            raise self._end() from error
        except ValueError as error:
            raise _Ended(Cause.CRASH, f"the decoder answered {error}") from error

    def _end(self) -> _Ended:
        """Tell how it ended that has closed its socket."""
        try:
            code = self._popen.wait(EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            return _Ended(Cause.CRASH, "the decoder closed its socket")
        if code == OUT_OF_MEMORY:
            return _Ended(Cause.MEMORY, "decoding took too much memory")
        how = signal.strsignal(-code) if code < 0 else f"exit code {code}"
        return _Ended(Cause.CRASH, f"the decoder died: {how}")


def _together(bodies: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Give images that are small in groups, and all others by themselves.

    To be woken for an answer costs as much as to read it. A group fits into the socket, so that nobody waits to write
    while the other does.
    """
    group: list[bytes] = []
    room = TOGETHER_BYTES
    for body in bodies:
        if group and len(body) > room:
            yield group
            group, room = [], TOGETHER_BYTES
        group.append(body)
        room -= len(body)
    if group:
        yield group
