"""A small disk that a test can fill."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

SIZE = "768m"
BLOCK = bytes(1 << 20)


class Disk:
    """A file system in memory, for the length of a `with` block; where none may be mounted, a plain folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "disk"
        self.is_small = False
        self._filler = self.folder / "filler"

    def __enter__(self) -> Self:
        self.folder.mkdir()
        if os.geteuid() == 0:
            command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.folder)]
            self.is_small = subprocess.run(command, capture_output=True, check=False).returncode == 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.is_small:
            subprocess.run(["umount", str(self.folder)], check=True)

    def fill(self) -> None:
        """Leave no byte."""
        assert self.is_small
        try:
            with self._filler.open("wb", buffering=0) as file:
                while file.write(BLOCK):
                    pass
        except OSError:
            return

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)
