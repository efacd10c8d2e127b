"""Hosts that are left alone for a while: because they asked for it, or because they fail again and again.

All who fetch share them, in the collection `hosts`, and look there four times a second.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from common.database import PAUSES_KEPT_SECONDS, Database, Document, unavailability
from common.errors import ItemError, Postponed, Transient
from common.reasons import Reason
from common.settings import Settings

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
OLD_SECONDS = 0.5
"""What was known so long ago nobody relies on: all threads wait for the next look."""
MOST_HOSTS = 10_000
FAILING = {Reason.CONNECT, Reason.DNS, Reason.TIMEOUT, Reason.HTTP_5XX}
UNANSWERED = {Reason.INVALID_URL, Reason.BLOCKED_ADDRESS, Reason.DNS, Reason.CONNECT, Reason.TLS, Reason.TIMEOUT}
"""What says nothing about how the host does when it is not going to change."""
MEMORY_SECONDS = PAUSES_KEPT_SECONDS
"""So long after a pause the next one is still longer, and begins with the first failure."""
WORTH_TELLING_SECONDS = 1.0
"""A moment that is later by less is not written down: all that are under way at once are told of nearly the same."""
RESUMED_SEEN_SECONDS = 60.0
"""So long after a person ended a pause it is looked for: clocks differ, and a process may stand still for a while."""


@dataclass(frozen=True, slots=True)
class Pause:
    """`until` is in seconds since the epoch, `times` counts the pauses since the last success."""

    until: float
    times: int
    reason: Reason
    status: int | None
    asked: bool


class Pauses:
    """Knows which hosts are left alone, and decides on it by how they answer; used by many threads at once.

    A pause that is not asked for is twice as long as the one before, from the shortest retry delay to the longest.
    """

    def __init__(self, database: Database, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self._hosts = database["hosts"]
        self._most_failures = settings.fetch_host_failures
        self._delays_seconds = settings.retry_delays_seconds
        self._longest_asked_seconds = settings.retry_after_max_seconds
        self._clock = clock
        self._pauses: dict[str, Pause] = {}
        self._failures: OrderedDict[str, int] = OrderedDict()
        self._looked = float("-inf")
        self._looking = threading.Lock()
        self._lock = threading.Lock()

    def check(self, host: str) -> None:
        """Raise Postponed while the host is left alone, and Unavailable when that cannot be known."""
        now = self._clock()
        if abs(now - self._looked) > LOOK_SECONDS:  # a clock may be set back
            self._look_again(now)
        pause = self._pauses.get(host)
        if pause is None or pause.until <= now:
            return
        why = "as it asked for" if pause.asked else "as it keeps failing"
        raise Postponed(
            pause.reason,
            f"left alone until {datetime.fromtimestamp(pause.until, UTC):%H:%M:%S} UTC, {why}",
            after_seconds=pause.until - now,
            # As long as all tries would have taken, or as what is granted to one.
            most_seconds=self._longest_asked_seconds if pause.asked else sum(self._delays_seconds),
            status=pause.status,
        )

    def answered(self, host: str) -> None:
        """Note that the host gave an answer to be content with. Raises Unavailable."""
        if host not in self._failures and host not in self._pauses:
            return
        now = self._clock()
        with self._lock:
            self._failures.pop(host, None)
            pause = self._pauses.get(host)
            if pause is None or pause.until > now:
                return
            del self._pauses[host]
        with unavailability():
            self._hosts.delete_one({"_id": host, "until": {"$lte": _instant(now)}})

    def failed(self, host: str, error: ItemError) -> None:
        """Note how the host failed, and leave it alone for a while if it is time to. Raises Unavailable."""
        is_transient = isinstance(error, Transient)
        if isinstance(error, Transient) and error.after_seconds:
            self._pause(host, error.after_seconds, error, asked=True)
        elif is_transient and error.status == 429:
            self._pause_longer(host, error)
        elif error.reason is Reason.RATE_LIMITED or (is_transient and error.reason in FAILING):
            if self._failed_again(host) >= self._most_failures or self._is_on_probation(host):
                self._pause_longer(host, error)
        elif error.reason not in UNANSWERED:
            self.answered(host)

    def _failed_again(self, host: str) -> int:
        with self._lock:
            failures = self._failures[host] = self._failures.pop(host, 0) + 1
            if len(self._failures) > MOST_HOSTS:
                self._failures.popitem(last=False)
        return failures

    def _is_on_probation(self, host: str) -> bool:
        """Tell a host that was left alone for its failures, by whomever they were met, and has not answered since."""
        pause = self._recent(host)
        return pause is not None and not pause.asked

    def _recent(self, host: str) -> Pause | None:
        pause = self._pauses.get(host)
        return pause if pause is not None and pause.until > self._clock() - MEMORY_SECONDS else None

    def _pause_longer(self, host: str, error: ItemError) -> None:
        former = self._recent(host)
        if former is not None and former.until > self._clock():
            return  # what fails now was under way when the pause began
        times = former.times if former is not None else 0
        seconds = min(self._delays_seconds[0] * 2.0 ** min(times, 30), self._delays_seconds[-1])
        self._pause(host, seconds, error, asked=False)

    def _pause(self, host: str, seconds: float, error: ItemError, *, asked: bool) -> None:
        until = self._clock() + seconds
        with self._lock:
            former = self._recent(host)
            if former is not None and until < former.until + WORTH_TELLING_SECONDS:
                return
            times = (former.times if former is not None else 0) + (not asked)
            self._pauses[host] = Pause(until, times, error.reason, error.status, asked)
        log.warning("%s is left alone for %.0f s: %s", host, seconds, error)
        told = {"reason": error.reason.value, "status": error.status, "asked": asked}
        with unavailability():
            latest = {"until": _instant(until), "times": times}
            change = {"$max": latest, "$set": told, "$unset": {"resumed": ""}}
            self._hosts.update_one({"_id": host}, change, upsert=True)

    def _look_again(self, now: float) -> None:
        """Look, once for all threads that come; those who know nothing recent wait for it."""
        if self._looking.acquire(blocking=abs(now - self._looked) > OLD_SECONDS):
            try:
                if abs(now - self._looked) > LOOK_SECONDS:
                    self._look(now)
            finally:
                self._looking.release()

    def _look(self, now: float) -> None:
        """Learn what the others have found. What is over is kept while it matters how often there was a pause."""
        resumed_lately = {"until": {"$gt": _instant(now - RESUMED_SEEN_SECONDS)}, "resumed": True}
        with unavailability():
            query = {"$or": [{"until": {"$gt": _instant(now)}}, resumed_lately]}
            found = list(self._hosts.find(query).sort("until", -1).limit(MOST_HOSTS))
        pauses = {document["_id"]: _pause_of(document) for document in found if "resumed" not in document}
        with self._lock:
            for host in {document["_id"] for document in found} - pauses.keys():
                # A person has ended it; the failures before it are forgotten as well.
                if self._pauses.pop(host, None) is not None:
                    self._failures.pop(host, None)
            for host, pause in pauses.items():
                known = self._pauses.get(host)
                if known is None or pause.until > known.until + WORTH_TELLING_SECONDS:
                    self._pauses[host] = pause
            if len(self._pauses) > MOST_HOSTS:
                self._pauses = {host: pause for host, pause in self._pauses.items() if pause.until > now}
        self._looked = now


def _pause_of(document: Document) -> Pause:
    return Pause(
        document["until"].timestamp(),
        document["times"],
        Reason(document["reason"]),
        document["status"],
        document["asked"],
    )


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
