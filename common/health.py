"""A worker's pulse: a file that is touched while the worker is connected and takes messages.

A health check looks at the file's age; it needs neither a port nor a second connection to the broker.
"""

import contextlib
from pathlib import Path

BEAT_SECONDS = 5.0


class Pulse:
    """Touches the file, or does nothing where none is wanted."""

    def __init__(self, file: str) -> None:
        self._file = Path(file) if file else None

    def beat(self) -> None:
        """Say that all is well."""
        if self._file is not None:
            self._file.touch()

    def stop(self) -> None:
        """Say at once that it is not."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink()
