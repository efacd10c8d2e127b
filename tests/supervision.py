"""Services of which each that ends is started again, as by a process manager."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.fleet import Process

GLANCE_SECONDS = 0.1


class Supervisor:
    """Starts what has ended again, until `end`, and counts how often of each service.

    Who holds `lock` does that himself meanwhile.
    """

    def __init__(self) -> None:
        self.deaths: Counter[str] = Counter()
        self.lock = threading.RLock()
        self._processes: list[Process] = []
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor")
        self._watcher.start()

    def add(self, *processes: Process) -> None:
        with self.lock:
            self._processes += processes

    def remove(self, process: Process) -> None:
        """Let it end for good."""
        with self.lock:
            self._processes.remove(process)

    def end(self) -> None:
        """Watch no more, and kill them all."""
        self._stopping.set()
        self._watcher.join()
        for process in self._processes:
            process.kill()

    def _watch(self) -> None:
        while not self._stopping.wait(GLANCE_SECONDS):
            with self.lock:
                for process in self._processes:
                    if not process.is_running():
                        self.deaths[process.service] += 1
                        process.restart()


@contextmanager
def supervised(
    services: Sequence[str], environment: Mapping[str, str], folder: Path, *, launcher: str
) -> Iterator[Counter[str]]:
    """Have one process of each, started by that module; gives how often each was started again."""
    supervisor = Supervisor()
    processes = [
        Process(service, environment, folder / f"{service}.log", command=(launcher, service)) for service in services
    ]
    supervisor.add(*processes)
    try:
        for process in processes:
            process.wait_until_consuming()
        yield supervisor.deaths
    finally:
        supervisor.end()
