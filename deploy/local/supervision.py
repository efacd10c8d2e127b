"""Orders to this checkout's supervisord, over its socket."""

import subprocess
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]

from deploy.local.checkout import Checkout
from deploy.local.errors import StackError
from deploy.local.waiting import wait_until

LAUNCH_SECONDS = 10
STOP_SECONDS = 45
DEAD = frozenset({"BACKOFF", "EXITED", "FATAL", "UNKNOWN"})
STOPPED = frozenset({"STOPPED", "EXITED", "FATAL", "UNKNOWN"})


@dataclass(frozen=True)
class Process:
    """One process as supervisord sees it; `pid` is 0 when there is none."""

    name: str
    state: str
    pid: int
    uptime_seconds: int


class Supervisor:
    """The daemon of one checkout, running or not."""

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout
        # The address is never resolved: the transport talks to the socket.
        self._transport = SupervisorTransport(serverurl=f"unix://{checkout.supervisor_socket}")
        self._orders: Any = xmlrpc.client.ServerProxy("http://localhost", transport=self._transport).supervisor

    def is_running(self) -> bool:
        """Ask it."""
        try:
            self._orders.getState()
        except (OSError, HTTPException):
            self._transport.close()  # a connection that failed once would refuse every other order
            return False
        return True

    def launch(self, environ: dict[str, str]) -> None:
        """Start the daemon; its children inherit `environ`."""
        command = (str(self._checkout.python), "-m", "supervisor.supervisord")
        configuration = str(self._checkout.supervisor_configuration)
        launched = subprocess.run(  # noqa: S603 - the command is ours
            (*command, "-c", configuration),
            cwd=self._checkout.root,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        if launched.returncode:
            raise StackError(f"supervisord did not start: {launched.stdout}{launched.stderr}".strip())
        # It answers before it knows its programs.
        wait_until(lambda: bool(self.processes()), LAUNCH_SECONDS, "supervisord")

    def processes(self) -> dict[str, Process]:
        """Give what it knows, by name; nothing when it does not run."""
        if not self.is_running():
            return {}
        return {
            known["name"]: Process(
                name=known["name"],
                state=known["statename"],
                pid=known["pid"],
                uptime_seconds=known["now"] - known["start"] if known["pid"] else 0,
            )
            for known in self._orders.getAllProcessInfo()
        }

    def adopt_configuration(self) -> None:
        """Read its file again: stop what is gone from it or differs, know what is new, touch nothing else."""
        [[added, changed, removed]] = self._orders.reloadConfig()
        self.stop([*changed, *removed])
        for name in (*changed, *removed):
            self._orders.removeProcessGroup(name)
        for name in (*changed, *added):
            self._orders.addProcessGroup(name)

    def start(self, names: Iterable[str]) -> None:
        """Start what does not run, and at once what waits after a crash; return without waiting."""
        known = self.processes()
        idle = [name for name in names if not known[name].pid]
        self.stop([name for name in idle if known[name].state not in STOPPED])
        for name in idle:
            self._orders.startProcess(name, False)

    def stop(self, names: Iterable[str]) -> None:
        """Stop them all at the same time and wait until they are."""
        wanted = set(names)
        for process in self.processes().values():
            if process.name in wanted and process.state not in STOPPED | {"STOPPING"}:
                self._orders.stopProcess(process.name, False)

        def all_stopped() -> bool:
            known = self.processes()
            return all(known[name].state in STOPPED for name in wanted & known.keys())

        wait_until(all_stopped, STOP_SECONDS, f"stopping {', '.join(sorted(wanted))}: supervisord")

    def shutdown(self) -> None:
        """Stop what is left and then the daemon itself."""
        self._orders.shutdown()
        wait_until(lambda: not self.is_running(), STOP_SECONDS, "ending supervisord: it")
