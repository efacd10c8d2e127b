"""Services of which each that ends is started again, as by a process manager."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.fleet import Process


@contextmanager
def supervised(
    services: Sequence[str], environment: Mapping[str, str], folder: Path, *, launcher: str
) -> Iterator[Counter[str]]:
    """Have one process of each, started by that module; gives how often each was started again."""
    deaths: Counter[str] = Counter()
    processes = [
        Process(service, environment, folder / f"{service}.log", command=(launcher, service)) for service in services
    ]
    stopping = threading.Event()

    def watch() -> None:
        while not stopping.wait(0.1):
            for process in processes:
                if not process.is_running():
                    deaths[process.service] += 1
                    process.restart()

    watcher = threading.Thread(target=watch, name="supervisor")
    try:
        for process in processes:
            process.wait_until_consuming()
        watcher.start()
        yield deaths
    finally:
        stopping.set()
        if watcher.is_alive():
            watcher.join()
        for process in processes:
            process.kill()
