"""What processes have used: CPU seconds with their children, and the most memory seen."""

import threading
from collections.abc import Mapping
from contextlib import suppress

import psutil

MEBIBYTE = 1024 * 1024


def cpu_seconds(process: psutil.Process) -> float:
    """Give the CPU seconds of a process, of its running children and of those that have ended."""
    times = process.cpu_times()
    total: float = times.user + times.system + times.children_user + times.children_system
    for child in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            own = child.cpu_times()
            total += own.user + own.system
    return total


def all_cpu_seconds(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    """Give the CPU seconds of each."""
    return {name: cpu_seconds(process) for name, process in processes.items()}


class MemoryWatch:
    """Looks at the resident memory of processes ten times a second while it is entered."""

    def __init__(self, processes: Mapping[str, psutil.Process]) -> None:
        self._processes = processes
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mebibytes = 0.0
        """Of all together, at their highest moment."""
        self.peaks: dict[str, float] = {}

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.1):
            total = 0.0
            for name, process in self._processes.items():
                resident = process.memory_info().rss / MEBIBYTE
                self.peaks[name] = max(self.peaks.get(name, 0.0), resident)
                total += resident
            self.peak_mebibytes = max(self.peak_mebibytes, total)
