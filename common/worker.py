"""The runtime of every worker: consume, hand to the handler, publish what it gives, wait for the confirms, ack."""

import logging
import threading
from collections.abc import Sequence
from functools import partial

from common.broker import backoff, declare, parameters
from common.crew import Consumer, Crew
from common.errors import Unavailable
from common.health import BEAT_SECONDS, Pulse
from common.intake import Intake
from common.load import Load
from common.session import Session
from common.settings import Settings
from common.topology import Topology

log = logging.getLogger(__name__)

GRACE_SECONDS = 8.0
"""How long what is being worked on may take to finish after SIGTERM; the process manager kills after 12."""


class Worker:
    """Runs consumers until it is stopped, over as many connections as it takes."""

    def __init__(self, name: str, consumers: Sequence[Consumer], settings: Settings, topology: Topology) -> None:
        self._name = name
        self._consumers = consumers
        self._crew = Crew(consumers)
        self._parameters = parameters(settings, name)
        self._topology = topology
        self._held_bytes = settings.held_bytes
        self._pulse = Pulse(settings.health_file)
        self._session: Session | None = None
        self._intake: Intake | None = None
        self._load = Load(self._held_bytes)
        self._blocked = False
        self._stopping = threading.Event()
        self._connections = 0
        self._refusals = 0

    @property
    def queues(self) -> tuple[str, ...]:
        """Name the queues that are consumed, without prefix."""
        return tuple(consumer.queue for consumer in self._consumers)

    @property
    def load(self) -> Load:
        """What it is busy with over the current connection."""
        return self._load

    @property
    def is_connected(self) -> bool:
        """Tell whether the broker gives messages."""
        return self._session is not None and self._session.alive

    @property
    def is_blocked(self) -> bool:
        """Tell whether the broker takes no messages for now."""
        return self._blocked

    @property
    def reconnects(self) -> int:
        """Count the connections after the first one."""
        return max(0, self._connections - 1)

    @property
    def refusals(self) -> int:
        """Count the publishes that a full queue refused."""
        return self._refusals

    def run(self) -> None:
        """Work until `stop`. Raises ConfigurationError when the broker's queues do not fit."""
        self._crew.start()
        waits = backoff()
        while not self._stopping.is_set():
            cause = self._connect_and_work()
            if self._intake is not None:
                waits = backoff()  # it had worked, so the next try may be soon again
            if cause is not None and not self._stopping.is_set():
                seconds = next(waits)
                log.warning("no connection to the broker, again in %.1f s: %s", seconds, cause)
                self._stopping.wait(seconds)
        log.info("stopped")

    def stop(self) -> None:
        """Take nothing new, finish what is under way, return the rest to the broker. Safe from any thread."""
        self._crew.dismiss()
        self._stopping.set()
        if self._session is not None:
            self._session.call(self._wind_down)

    def _connect_and_work(self) -> str | None:
        """Work over one connection until it ends; give what ended it, or None when it was told to."""
        self._intake = None
        self._blocked = False
        self._load = Load(self._held_bytes)
        self._crew.work_under(self._load)
        try:
            declare(self._parameters, self._topology)
            self._session = Session(
                self._parameters,
                self._name,
                on_ready=self._ready,
                on_blocked=self._on_blocked,
                on_refused=self._on_refused,
            )
            return self._session.run()
        except Unavailable as error:
            return str(error)
        finally:
            self._load.end()
            self._pulse.stop()

    def _ready(self, session: Session) -> None:
        if self._stopping.is_set():
            session.close()
            return
        self._connections += 1
        self._intake = Intake(session, self._load, self._consumers, self._topology)
        self._intake.open()
        self._beat(session)

    def _on_blocked(self, blocked: bool) -> None:
        self._blocked = blocked
        self._load.shut(shut=blocked)

    def _on_refused(self) -> None:
        self._refusals += 1

    def _beat(self, session: Session) -> None:
        if session.alive:
            if not self._blocked:
                self._pulse.beat()
                if not self._load.holds_nothing:
                    session.publish(self._topology.busy(self._name), lambda: None)
            session.call_later(BEAT_SECONDS, partial(self._beat, session))

    def _wind_down(self) -> None:
        """Take nothing more and close once nothing is under way, at the latest when the grace is over."""
        session = self._session
        if session is not None:
            if self._intake is not None:
                self._intake.close()
            session.call_later(GRACE_SECONDS, session.close)
            self._close_when_idle(session)

    def _close_when_idle(self, session: Session) -> None:
        if self._crew.is_idle() or not session.alive:
            session.close()
        else:
            session.call_later(0.05, partial(self._close_when_idle, session))
