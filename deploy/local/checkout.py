"""Where things are: everything that the stack writes is in the checkout's `.data`."""

import re
from dataclasses import dataclass
from pathlib import Path

from common.settings import STACK_ENV
from deploy.local.errors import StackError

SOCKET_PATH_BYTES = 90
"""Linux ends a socket's path at 107; supervisord first makes its own under a name with its pid added."""


@dataclass(frozen=True)
class Checkout:
    """The paths of one checkout."""

    root: Path

    @property
    def data(self) -> Path:
        """What must not be committed and may be deleted."""
        return self.root / ".data"

    @property
    def logs(self) -> Path:
        """One file a program."""
        return self.data / "logs"

    @property
    def stack_env(self) -> Path:
        """Addresses and passwords, read by `common.settings`."""
        return self.data / "stack.env"

    @property
    def python(self) -> Path:
        """The interpreter that services run in."""
        return self.root / ".venv" / "bin" / "python"

    @property
    def supervisor_configuration(self) -> Path:
        """Rendered anew at each `up`."""
        return self.data / "supervisord.conf"

    @property
    def supervisor_socket(self) -> Path:
        """Where supervisord takes orders, from this user only."""
        return self.data / "supervisor.sock"

    def log(self, program: str) -> Path:
        """What a program has said."""
        return self.logs / f"{program}.log"

    def make_folders(self) -> None:
        """Make the folders, closed to others. Raises StackError for a path that the programs cannot live in."""
        if len(str(self.supervisor_socket).encode()) > SOCKET_PATH_BYTES:
            raise StackError(f"the path {self.root} is too long for a Unix socket below it; move the checkout")
        if re.search(r'["\n]|\s[;#]', str(self.root)):
            raise StackError(f"supervisor cannot be given the path {self.root}; move the checkout")
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.data.chmod(0o700)
        self.logs.mkdir(exist_ok=True)


def this_checkout() -> Checkout:
    """Give the checkout that this code is in."""
    return Checkout(STACK_ENV.parent.parent)
