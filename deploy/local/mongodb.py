"""A private mongod: everything it writes in one folder, one loopback port."""

import sysconfig
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local.errors import StackError
from deploy.local.ports import LOOPBACK
from deploy.local.waiting import nothing, wait_until

MONGOD = Path(sysconfig.get_path("purelib")) / "fiftyone" / "db" / "bin" / "mongod"
AUTHENTICATION_FAILED = 18
PATIENCE_MILLISECONDS = 1_000


@dataclass(frozen=True, kw_only=True)
class MongoDB:
    """One server. Without a password anybody on this machine may do anything in it: for tests."""

    folder: Path
    port: int
    database: str = "graymill"
    user: str = "graymill"
    password: str | None = field(default=None, repr=False)

    def prepare(self) -> None:
        """Make the folder."""
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def command(self) -> tuple[str, ...]:
        """The server in the foreground; SIGTERM shuts it down in order."""
        server = (str(MONGOD), "--dbpath", str(self.folder.absolute()), "--port", str(self.port), "--bind_ip", LOOPBACK)
        limits = ("--nounixsocket", "--wiredTigerCacheSizeGB", "0.5")
        quiet = ("--setParameter", "diagnosticDataCollectionEnabled=false")
        return (*server, *limits, *quiet, *(("--auth",) if self.password else ()))

    @property
    def environment(self) -> dict[str, str]:
        """Nothing: its command says it all."""
        return {}

    @property
    def url(self) -> str:
        """The address that clients connect to, with the database's name and, if there is one, the password."""
        if self.password is None:
            return f"mongodb://{LOOPBACK}:{self.port}/{self.database}"
        return f"mongodb://{self.user}:{self.password}@{LOOPBACK}:{self.port}/{self.database}?authSource=admin"

    def is_ready(self) -> bool:
        """Ask for an answer, as nobody in particular."""
        try:
            with self._client(f"mongodb://{LOOPBACK}:{self.port}") as client:
                client.admin.command("ping")
        except PyMongoError:
            return False
        return True

    def wait_until_ready(self, deadline_seconds: float, meanwhile: Callable[[], None] = nothing) -> None:
        """Return once it answers; raises StackError after the deadline, or what `meanwhile` raises."""
        wait_until(self.is_ready, deadline_seconds, f"MongoDB on port {self.port}", meanwhile)

    def ensure_user(self) -> None:
        """Make the user on the first start. Raises StackError when there is one with another password."""
        try:
            with self._client(self.url) as client:
                client.admin.command("ping")
        except OperationFailure as error:
            if error.code != AUTHENTICATION_FAILED:
                raise
            self._create_user()

    def _create_user(self) -> None:
        # Over loopback a server without any user lets one be made, with roles of the database admin only.
        roles = ["readWriteAnyDatabase", "dbAdminAnyDatabase", "clusterMonitor"]
        try:
            with self._client(f"mongodb://{LOOPBACK}:{self.port}") as client:
                client.admin.command("createUser", self.user, pwd=self.password, roles=roles)
        except OperationFailure as error:
            raise StackError(f"MongoDB in {self.folder} was made with another password") from error

    @staticmethod
    def _client(url: str) -> MongoClient[dict[str, Any]]:
        return MongoClient(url, serverSelectionTimeoutMS=PATIENCE_MILLISECONDS, directConnection=True)
