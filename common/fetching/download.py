"""A URL in, the bytes of its answer out, or the reason why not: bounded in time, size and redirects."""

import time
from dataclasses import dataclass
from typing import Any

import requests
import urllib3

from common.errors import ItemError, Permanent, Transient
from common.fetching.addresses import Resolver
from common.fetching.answer import check_opt_out, check_status, is_redirect
from common.fetching.deadline import Deadline, current_deadline
from common.fetching.faults import translated
from common.fetching.pauses import Pauses
from common.fetching.robots import Robots
from common.fetching.room import Room
from common.fetching.target import Target, read_target, redirected
from common.fetching.transport import Transport
from common.metrics import DOWNLOADED_BYTES
from common.reasons import Reason
from common.settings import MEBIBYTE, Settings

SMALL_BYTES = MEBIBYTE
"""Bodies up to this size need no room: all threads together hold little of them."""
PIECE_BYTES = 64 * 1024
LEFTOVER_BYTES = 8 * 1024
LEFTOVER_SECONDS = 0.5
"""As much of a body that nobody wants is read, for so long, to keep its connection; more is not worth it."""
NO_CONTENT = 204
MOST_DIGITS = 20
"""As many of a length are enough to know that it is too large."""


@dataclass(frozen=True, slots=True)
class Download:
    """Bytes as received, the URL that gave them after all redirects, and what the server calls them."""

    body: bytes
    url: str
    content_type: str


class Downloader:
    """Downloads bodies; used by many threads at once.

    Hosts that are to be left alone are, if there are `pauses`; `robots` has the last word on each URL, redirects
    included. `unreadable` is the reason when a body is encoded unasked. One that is too large is cut if `cuts`.
    """

    def __init__(
        self,
        settings: Settings,
        resolver: Resolver,
        transport: Transport,
        *,
        pauses: Pauses | None = None,
        robots: Robots | None = None,
        unreadable: Reason = Reason.NOT_AN_IMAGE,
        cuts: bool = False,
    ) -> None:
        self._settings = settings
        self._resolver = resolver
        self._transport = transport
        self._pauses = pauses
        self._robots = robots
        self._unreadable = unreadable
        self._cuts = cuts
        self._room = Room(max(settings.held_bytes, settings.max_body_bytes))

    def download(self, url: str, *, within_seconds: float = float("inf")) -> Download:
        """Fetch a body.

        Raises Permanent or Transient with the reason, Postponed when its host is not to be asked now, Unavailable when
        there is no memory, or the database does not answer.
        """
        settings = self._settings
        most_seconds = min(settings.total_timeout_seconds, within_seconds)
        deadline = Deadline(time.monotonic() + most_seconds, settings.idle_timeout_seconds)
        target = read_target(url, max_length=settings.max_url_length)
        for _hop in range(settings.max_redirects + 1):
            self._ask_leave(target, deadline)
            current_deadline.set(deadline)
            try:
                found = self._follow(target, deadline)
            except ItemError as error:
                if self._pauses is not None:
                    self._pauses.failed(target.host, error)
                raise
            if self._pauses is not None:
                self._pauses.answered(target.host)
            if isinstance(found, Download):
                return found
            target = found
        raise Permanent(Reason.REDIRECT_LIMIT, f"more than {settings.max_redirects} redirects")

    def _ask_leave(self, target: Target, deadline: Deadline) -> None:
        if self._pauses is not None:
            self._pauses.check(target.host)
        if self._robots is not None:
            self._robots.check(target, within_seconds=max(0.0, deadline.at - time.monotonic()))

    def _follow(self, target: Target, deadline: Deadline) -> Download | Target:
        """Give what the target answers with, or where it leads."""
        with translated(), self._ask(target, deadline) as response:
            if not is_redirect(response):
                body = self._read(response, deadline)
                return Download(body, target.url, response.headers.get("Content-Type", ""))
            location = response.headers["Location"]
            next_target = redirected(target, location, max_length=self._settings.max_url_length)
            self._use_up(response, deadline)
            return next_target

    def _ask(self, target: Target, deadline: Deadline) -> requests.Response:
        addresses = self._resolver.resolve(target.host, within_seconds=deadline.remaining())
        connect_timeout_seconds = self._settings.connect_timeout_seconds
        return self._transport.get(target, addresses, connect_timeout_seconds=connect_timeout_seconds)

    def _read(self, response: requests.Response, deadline: Deadline) -> bytes:
        try:
            check_status(response, longest_wait_seconds=self._settings.retry_after_max_seconds)
        except (Permanent, Transient):
            self._use_up(response, deadline)
            raise
        if self._settings.honour_opt_out:
            check_opt_out(response)
        return self._body(response, deadline)

    def _body(self, response: requests.Response, deadline: Deadline) -> bytes:
        most = self._settings.max_body_bytes
        declared = _declared_length(response)
        if declared is not None and declared > most and not self._cuts:
            raise Permanent(Reason.TOO_LARGE, f"{declared:,} bytes by its header, allowed are {most:,}")
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise Permanent(self._unreadable, f"encoded as {encoding:.40}, which was not asked for")
        with translated(broken=Reason.INCOMPLETE_BODY):
            body = bytes(response.raw.read(min(SMALL_BYTES, most + 1), decode_content=False))
            if len(body) == SMALL_BYTES and most >= SMALL_BYTES:
                expected = most if declared is None else declared
                with self._room.taken(expected, timeout_seconds=max(0.0, deadline.at - time.monotonic())):
                    body = _completed(body, response.raw, most + 1)
        DOWNLOADED_BYTES.inc(len(body))
        if len(body) > most:
            if self._cuts:
                return body[:most]
            raise Permanent(Reason.TOO_LARGE, f"more than {most:,} bytes")
        if declared is not None and len(body) < declared:
            raise Transient(Reason.INCOMPLETE_BODY, f"{len(body):,} of {declared:,} bytes")
        if not body:
            raise Permanent(Reason.EMPTY_BODY, f"status {response.status_code} without a body")
        return body

    @staticmethod
    def _use_up(response: requests.Response, deadline: Deadline) -> None:
        """Read a short rest, so that the connection can be used again."""
        declared = _declared_length(response)
        if declared is not None and declared <= LEFTOVER_BYTES:
            current_deadline.set(deadline.within(LEFTOVER_SECONDS))
            try:
                response.raw.read(LEFTOVER_BYTES, decode_content=False)
            except (OSError, urllib3.exceptions.HTTPError):
                return  # it is closed instead
            finally:
                current_deadline.set(deadline)


def _completed(start: bytes, raw: Any, most: int) -> bytes:
    """Give the body that begins so, at most so many bytes of it, at the cost of one copy."""
    pieces = [start]
    missing = most - len(start)
    while missing and (piece := raw.read(min(PIECE_BYTES, missing), decode_content=False)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _declared_length(response: requests.Response) -> int | None:
    if "Transfer-Encoding" in response.headers or response.status_code == NO_CONTENT:
        return None  # both override a Content-Length (RFC 9112, 6.3)
    text = response.headers.get("Content-Length", "")
    return int(text.lstrip("0")[:MOST_DIGITS] or 0) if text.isascii() and text.isdigit() else None
