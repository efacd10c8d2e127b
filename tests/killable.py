"""Servers that can be killed, frozen and started again with their data."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from deploy.local.rabbitmq import SCRIPTS, RabbitMQ
from deploy.local.server import Server, start, stop


class Killable:
    """A running server."""

    def __init__(self, server: Server, log: Path) -> None:
        self._server, self._log = server, log
        self.restart()

    @property
    def log_bytes(self) -> int:
        return self._log.stat().st_size

    def log_from(self, first_byte: int) -> str:
        """Give what it has said since its log was so long."""
        with self._log.open(errors="replace") as log:
            log.seek(first_byte)
            return log.read()

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        """End it at once, as by a power cut."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Have it do nothing, its connections open."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start it again after its end, and wait until it answers."""
        self._process = start(self._server, self._log)
        self._since = time.monotonic()

    @property
    def up_seconds(self) -> float:
        return time.monotonic() - self._since

    def ensure(self) -> None:
        """Start it again if it has ended."""
        if not self.is_running():
            self.restart()

    def stop(self) -> None:
        stop(self._process)


class KillableBroker(Killable):
    """A RabbitMQ, with its command line."""

    def __init__(self, server: RabbitMQ, log: Path) -> None:
        super().__init__(server, log)
        self.url = server.url
        self._environment = {"PATH": "/usr/bin:/bin", **server.environment}
        self._folder = server.folder

    def control(self, *arguments: str) -> None:
        """Run rabbitmqctl."""
        subprocess.run(
            [SCRIPTS / "rabbitmqctl", *arguments],
            env=self._environment,
            cwd=self._folder,
            check=True,
            capture_output=True,
            timeout=60,
        )
