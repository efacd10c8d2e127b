"""What runs and where, as lines for a person."""

from collections.abc import Iterable, Iterator, Mapping

from deploy.local.stack import reachable
from deploy.local.supervision import Process

STATES = {"RUNNING": "running", "STARTING": "starting", "STOPPING": "stopping", "STOPPED": "stopped"}
MINUTE, HOUR, DAY = 60, 3_600, 86_400


def table(processes: Iterable[Process]) -> Iterator[str]:
    """A line a process under a line of titles."""
    yield f"{'SERVICE':<16}{'STATE':<12}{'PID':>8}  UPTIME"
    for process in processes:
        # Whatever else supervisord calls it, it died and is started again in a moment.
        state = STATES.get(process.state, "failing")
        pid, uptime = (str(process.pid), duration(process.uptime_seconds)) if process.pid else ("-", "-")
        yield f"{process.name:<16}{state:<12}{pid:>8}  {uptime}"


def addresses(values: Mapping[str, str], task: str = "") -> Iterator[str]:
    """What to open in a browser, a task's page first, and where the servers listen; no passwords."""
    api = f"http://{reachable(values['API_HOST'])}:{values['API_PORT']}"
    if task:
        yield f"this task    {api}/url_tasks/{task}"
    yield f"API          {api}/"
    yield f"monitoring   {api}/monitoring"
    yield "             (to hand something in, sign in with the key that `make key` shows)"
    yield f"sample site  http://{values['SAMPLES_HOST']}:{values['SAMPLES_PORT']}/"
    yield f"RabbitMQ     127.0.0.1:{values['AMQP_PORT']}, MongoDB 127.0.0.1:{values['MONGO_PORT']}"
    yield "             (user and password are in .data/stack.env)"


def duration(seconds: int) -> str:
    """Seconds as their two largest units."""
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        return f"{seconds // MINUTE} min {seconds % MINUTE} s"
    if seconds < DAY:
        return f"{seconds // HOUR} h {seconds % HOUR // MINUTE} min"
    return f"{seconds // DAY} d {seconds % DAY // HOUR} h"
