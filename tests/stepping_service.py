"""A service whose clock can be set: `python -m tests.stepping_service NAME` runs it as `services.NAME` runs.

What the file CLOCK_FILE holds, in seconds, is how far its clock is ahead, at any moment. (libfaketime 0.9.10 would do
that to any program, but with it `time.sleep` of Python 3.11 fails.)
"""

import datetime
import os
import runpy
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pymongo  # noqa: F401 - it must know the real class of moments, which it writes

GLANCE_SECONDS = 0.02
REAL_TIME, REAL_TIME_NS, REAL_DATETIME = time.time, time.time_ns, datetime.datetime


class Clock(threading.Thread):
    """Reads again and again how far the clock is ahead."""

    def __init__(self, file: Path) -> None:
        super().__init__(name="clock", daemon=True)
        self._file = file
        self.ahead_seconds = 0.0

    def run(self) -> None:
        while True:
            self.ahead_seconds = float(self._file.read_text() or 0)
            time.sleep(GLANCE_SECONDS)


class _Moments(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, REAL_DATETIME)


def set_by(clock: Clock) -> None:
    """Have every module that is imported from now on ask this clock."""

    class Moment(REAL_DATETIME, metaclass=_Moments):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return REAL_DATETIME.now(tz) + datetime.timedelta(seconds=clock.ahead_seconds)

    time.time = lambda: REAL_TIME() + clock.ahead_seconds
    time.time_ns = lambda: REAL_TIME_NS() + int(clock.ahead_seconds * 1e9)
    datetime.datetime = Moment  # type: ignore[misc]


if __name__ == "__main__":
    clock = Clock(Path(os.environ["CLOCK_FILE"]))
    set_by(clock)
    clock.start()
    runpy.run_module(f"services.{sys.argv.pop()}", run_name="__main__")
