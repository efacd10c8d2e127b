"""Worker processes for tests, started, killed and started again like under a process manager."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

CONSUMING = "consuming"
DISCONNECTED = "no connection to the broker"
POLL = threading.Event()


def eventually(condition: Callable[[], object], *, deadline_seconds: float = 30.0, what: str = "") -> None:
    """Return once the condition holds; fail after the deadline."""
    end = time.monotonic() + deadline_seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_seconds:g} s: {what or condition}")
        POLL.wait(0.02)


class Process:
    """One service as a process of its own, its log in a file; `command` is a module and its arguments."""

    def __init__(
        self, service: str, environment: Mapping[str, str], log: Path, *, command: Sequence[str] | None = None
    ) -> None:
        self.service = service
        self._command = command or (f"services.{service}",)
        self._environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self.log_file = log
        self._popen = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log_file.open("ab") as output:
            self._log_begins = output.tell()
            command = [sys.executable, "-m", *self._command]
            return subprocess.Popen(command, env=self._environment, stderr=output)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def consumes(self) -> bool:
        """Tell whether it does since it was last started, as far as it knows."""
        with self.log_file.open() as log:
            log.seek(self._log_begins)
            said = log.read()
        return said.rfind(CONSUMING) > said.rfind(DISCONNECTED)

    def wait_until_consuming(self, *, times: int = 1) -> None:
        eventually(
            lambda: self.log.count(f"{CONSUMING} {self.service}") >= times, what=f"{self.service} consumes: {self.log}"
        )

    def kill(self) -> None:
        """End it at once, as by a power cut."""
        popen = self._popen  # it may be started again meanwhile
        popen.kill()
        popen.wait()

    def freeze(self) -> None:
        """Have it do nothing, its connections open."""
        self._popen.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._popen.send_signal(signal.SIGCONT)

    def restart(self) -> None:
        self._popen = self._start()

    def terminate(self, *, deadline_seconds: float = 10.0) -> int:
        """Ask it to end; gives its exit code."""
        popen = self._popen
        popen.send_signal(signal.SIGTERM)
        return popen.wait(deadline_seconds)

    def is_running(self) -> bool:
        return self._popen.poll() is None


@contextmanager
def fleet(services: Mapping[str, int], environment: Mapping[str, str], folder: Path) -> Iterator[list[Process]]:
    """Have so many processes of each service, all consuming, for the length of a `with` block."""
    processes = [
        Process(service, environment, folder / f"{service}-{number}.log")
        for service, count in services.items()
        for number in range(count)
    ]
    try:
        for process in processes:
            process.wait_until_consuming()
        yield processes
    finally:
        for process in processes:
            process.kill()
