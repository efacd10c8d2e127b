"""What a site's robots.txt allows us (RFC 9309), asked for once an hour and kept in memory."""

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from protego import Protego

from common.errors import ItemError, Permanent, Postponed, Transient
from common.fetching.answer import OUR_NAME
from common.fetching.target import Target
from common.reasons import Reason

MOST_READ_BYTES = 500 * 1024
"""What comes behind is not read (RFC 9309, 2.5)."""
MOST_REDIRECTS = 5
LIFETIME_SECONDS = 3_600.0
MOST_KEPT_CHARACTERS = 4 * 1024 * 1024
FEWEST_COUNTED_CHARACTERS = 1_024
"""As much counts even an empty robots.txt, so that the number of those that are kept is bounded as well."""
LONGEST_CRAWL_DELAY_SECONDS = 30.0
LONGEST_AHEAD_SECONDS = 300.0

_AGENT = re.compile(r"\s*user[- ]?agent\s*:?\s*([^\s#/]*)", re.IGNORECASE)

Fetch = Callable[[str, float], bytes]
"""Gives the body behind a URL within so many seconds; raises Permanent, Transient, Postponed or Unavailable."""


@dataclass(slots=True)
class Rules:
    """What one origin allows; without a robots.txt everything."""

    protego: Protego | None
    characters: int
    expires: float
    asked: float = float("-inf")
    reserved: float = float("-inf")


class Robots:
    """Asks each origin for its robots.txt before the first page of it; used by many threads at once."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._rules: OrderedDict[str, Rules] = OrderedDict()
        self._characters = 0
        self._under_way: dict[str, Future[Rules]] = {}
        self._lock = threading.Lock()

    def check(self, target: Target, *, within_seconds: float) -> None:
        """Let through what may be asked for now.

        Raises Permanent (`robots`) for what is disallowed, Postponed while the site's Crawl-delay runs, and, while
        there is no robots.txt to be had that says what is allowed, the reason for that.
        """
        rules = self._rules_of(f"{target.scheme}://{target.authority}", within_seconds)
        if rules.protego is None:
            return
        if not rules.protego.can_fetch(target.url, OUR_NAME):
            raise Permanent(Reason.ROBOTS, "robots.txt disallows it")
        self._keep_distance(rules, min(rules.protego.crawl_delay(OUR_NAME) or 0.0, LONGEST_CRAWL_DELAY_SECONDS))

    def _keep_distance(self, rules: Rules, seconds: float) -> None:
        """Let one through each so many seconds; the others are given moments one after the other to come back at."""
        if not seconds:
            return
        with self._lock:
            now = self._clock()
            if now >= rules.asked + seconds:
                rules.asked = now
                return
            rules.reserved = max(rules.reserved, rules.asked) + seconds
            rules.reserved = min(rules.reserved, now + LONGEST_AHEAD_SECONDS)
            wait_seconds = rules.reserved - now
        raise Postponed(Reason.ROBOTS, f"Crawl-delay: {seconds:g}", after_seconds=wait_seconds)

    def _rules_of(self, origin: str, within_seconds: float) -> Rules:
        with self._lock:
            rules = self._rules.get(origin)
            if rules is not None and rules.expires > self._clock():
                self._rules.move_to_end(origin)
                return rules
            coming = self._under_way.get(origin)
            is_first = coming is None
            if coming is None:
                coming = self._under_way[origin] = Future()
        if is_first:
            self._ask(origin, within_seconds, coming)
        try:
            return coming.result(within_seconds)
        except TimeoutError as error:
            raise Transient(Reason.TIMEOUT, "robots.txt: it did not come in time") from error

    def _ask(self, origin: str, within_seconds: float, coming: Future[Rules]) -> None:
        """Get the rules for all who wait for them."""
        try:
            rules = self._read(f"{origin}/robots.txt", within_seconds)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            with self._lock:
                del self._under_way[origin]
            coming.set_exception(error)
            return
        with self._lock:
            del self._under_way[origin]
            self._keep(origin, rules)
        coming.set_result(rules)

    def _read(self, url: str, within_seconds: float) -> Rules:
        try:
            body = self._fetch(url, within_seconds)
        except (Permanent, Transient) as error:
            if not _is_missing(error):
                raise type(error)(error.reason, f"robots.txt: {error.detail}", status=error.status) from error
            body = b""
        text = "\n".join(map(_relevant, body.decode("utf-8-sig", "replace").splitlines()))
        protego = Protego.parse(text) if text else None
        return Rules(protego, max(len(text), FEWEST_COUNTED_CHARACTERS), self._clock() + LIFETIME_SECONDS)

    def _keep(self, origin: str, rules: Rules) -> None:
        former = self._rules.pop(origin, None)
        self._characters += rules.characters - (former.characters if former else 0)
        self._rules[origin] = rules
        while self._characters > MOST_KEPT_CHARACTERS:
            _origin, oldest = self._rules.popitem(last=False)
            self._characters -= oldest.characters


def _is_missing(error: ItemError) -> bool:
    """Tell the answers that leave everything allowed (RFC 9309, 2.3.1.3): a refusal, too many redirects, an empty body.

    Not a failure that may be over the next time, nor a request to wait (2.3.1.4).
    """
    missing = (Reason.HTTP_4XX, Reason.REDIRECT_LIMIT, Reason.EMPTY_BODY)
    return isinstance(error, Permanent) and error.reason in missing


def _relevant(line: str) -> str:
    """Give a line of robots.txt, with all user agents that we are not made one.

    The rules of a group are kept for each of its agents: with thousands of both, that would be millions.
    """
    found = _AGENT.match(line)
    if found is None:
        return line
    agent = found[1].lower().rstrip("*") or found[1]
    return f"User-agent: {agent if agent in (OUR_NAME, '*') else '-'}"
