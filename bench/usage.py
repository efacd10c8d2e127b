"""What processes have used: CPU seconds with their children, and the most memory seen."""

import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress

import psutil

MEBIBYTE = 1024 * 1024
LOOK_SECONDS = 0.2


def cpu_seconds(process: psutil.Process) -> float:
    """Give the CPU seconds of a process, of its running descendants and of all those that have ended."""
    return _sum(process, _own_cpu_seconds)


def all_cpu_seconds(processes: Mapping[str, psutil.Process]) -> dict[str, float]:
    """Give the CPU seconds of each."""
    return {name: cpu_seconds(process) for name, process in processes.items()}


def resident_mebibytes(process: psutil.Process) -> float:
    """Give what a process and its running descendants hold in memory."""
    return _sum(process, lambda member: member.memory_info().rss) / MEBIBYTE


def _own_cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


def _sum(process: psutil.Process, used: Callable[[psutil.Process], float]) -> float:
    """Add up what a process and its running descendants used."""
    total = 0.0
    for member in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += used(member)
    return total


class MemoryWatch:
    """Looks at the resident memory of descendants of this process, five times a second while it is entered.

    What processes share is counted for each of them.
    """

    def __init__(self, processes: Mapping[str, psutil.Process], *, servers: Collection[str] = ()) -> None:
        self._names = {process.pid: name for name, process in processes.items()}
        self._servers = servers
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.peak_mebibytes = 0.0
        """Of all together, at their highest moment."""
        self.peak_without_servers_mebibytes = 0.0
        self.peaks: dict[str, float] = {}
        """Of each, with its children."""

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        this = psutil.Process()
        while not self._done.wait(LOOK_SECONDS):
            resident = self._resident(this)
            for name, size in resident.items():
                self.peaks[name] = max(self.peaks.get(name, 0.0), size)
            own = sum(size for name, size in resident.items() if name not in self._servers)
            self.peak_mebibytes = max(self.peak_mebibytes, sum(resident.values()))
            self.peak_without_servers_mebibytes = max(self.peak_without_servers_mebibytes, own)

    def _resident(self, this: psutil.Process) -> dict[str, float]:
        """Give the mebibytes of each tree."""
        names = dict(self._names)
        resident: dict[str, float] = {}
        # One look at the process table for all of them; parents come before their children.
        for process in this.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                name = names.get(process.pid) or names.get(process.ppid())
                if name is not None:
                    names[process.pid] = name
                    resident[name] = resident.get(name, 0.0) + process.memory_info().rss / MEBIBYTE
        return resident
