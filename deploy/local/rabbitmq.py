"""A private RabbitMQ node: everything it writes in one folder, everything it listens on on loopback."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pika
from pika.exceptions import ProbableAuthenticationError

from common.broker import CONNECTION_ERRORS, open_connection
from deploy.local.errors import StackError
from deploy.local.ports import LOOPBACK
from deploy.local.waiting import nothing, wait_until

SCRIPTS = Path("/usr/lib/rabbitmq/bin")
"""Debian's. The wrappers of the same names on the PATH change to the user rabbitmq, who cannot write here."""

START = f'cd "$HOME" && {{ setpriv --pdeathsig KILL epmd & exec "{SCRIPTS}/rabbitmq-server"; }}'
"""Erlang's name server beside the node and ended with it: one that the node starts for itself is a daemon,
listens on every address and outlives all who use it."""

CONFIGURATION = """\
default_user = {user}
default_pass = {password}
vm_memory_high_watermark.absolute = 1GiB
disk_free_limit.absolute = 1GB
max_message_size = 16777216
# Bodies are images: segments of the default 4,096 entries would be files of gigabytes, kept until the last is acked.
raft.segment_max_entries = 128
# What is in the write-ahead log is in memory too, several times as large for small messages: with twice as much, a long
# list of URLs sets off the memory alarm.
raft.wal_max_size_bytes = 67108864
log.file = false
log.console = true
log.console.level = info
log.console.use_colors = off
"""


@dataclass(frozen=True, kw_only=True)
class RabbitMQ:
    """One node. It starts as `command` with `environment` laid over the process's own, after `prepare()`."""

    folder: Path
    port: int
    distribution_port: int
    epmd_port: int
    user: str = "graymill"
    password: str = field(default="graymill", repr=False)

    def prepare(self) -> None:
        """Make the folder and write the node's configuration into it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        configuration = self.folder / "rabbitmq.conf"
        configuration.touch(mode=0o600)
        configuration.write_text(CONFIGURATION.format(user=self.user, password=self.password))
        (self.folder / "enabled_plugins").write_text("[].\n")

    @property
    def command(self) -> tuple[str, ...]:
        """The node in the foreground; SIGTERM shuts it down in order."""
        return ("/bin/sh", "-c", START)

    @property
    def environment(self) -> dict[str, str]:
        """What the node and `rabbitmqctl` have to be told through variables."""
        folder = self.folder.absolute()
        local_only = "-kernel inet_dist_use_interface {127,0,0,1}"
        return {
            "HOME": str(folder),
            "LC_ALL": "C.UTF-8",
            "ERL_CRASH_DUMP": str(folder / "erl_crash.dump"),
            # The same in every folder, as data is kept under the node's name and a folder may be moved.
            # Nodes do not meet: each has a name server of its own.
            "RABBITMQ_NODENAME": "graymill@localhost",
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self.epmd_port),
            "ERL_FLAGS": "-start_epmd false",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            # The folder by another name (START went there): the node hands this path to `df` unquoted, and with
            # a space in it there would be no disk alarm.
            "RABBITMQ_MNESIA_BASE": "/proc/self/cwd/mnesia",
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),  # not the machine's
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            # Idle schedulers sleep instead of spinning.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"+sbwt none +sbwtdcpu none +sbwtdio none +B i {local_only}",
            "RABBITMQ_CTL_ERL_ARGS": local_only,
            # The script then becomes the node, instead of a parent that could die and leave it behind.
            "RUNNING_UNDER_SYSTEMD": "true",
        }

    @property
    def url(self) -> str:
        """The address that clients connect to, password included."""
        return f"amqp://{self.user}:{self.password}@{LOOPBACK}:{self.port}/%2F"

    def is_ready(self) -> bool:
        """Open and close an AMQP connection. Raises StackError when the password is not the node's."""
        try:
            open_connection(pika.URLParameters(self.url)).close()
        except ProbableAuthenticationError as error:
            raise StackError(f"RabbitMQ in {self.folder} was made with another password") from error
        except CONNECTION_ERRORS:
            return False
        return True

    def wait_until_ready(self, deadline_seconds: float, meanwhile: Callable[[], None] = nothing) -> None:
        """Return once a client can connect; raises StackError after the deadline, or what `meanwhile` raises."""
        wait_until(self.is_ready, deadline_seconds, f"RabbitMQ on port {self.port}", meanwhile)
