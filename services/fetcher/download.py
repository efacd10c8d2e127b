"""A URL in, the bytes of its image out, or the reason why not: bounded in time, size and redirects."""

import threading
import time
from dataclasses import dataclass

import requests
import urllib3

from common.errors import Permanent, Transient
from common.reasons import Reason
from common.settings import MEBIBYTE, Settings
from services.fetcher.addresses import Resolver
from services.fetcher.answer import check_opt_out, check_status, is_redirect
from services.fetcher.faults import translated
from services.fetcher.signature import media_type
from services.fetcher.target import Target, read_target, redirected
from services.fetcher.transport import Deadline, Transport, current_deadline

SMALL_BYTES = MEBIBYTE
LEFTOVER_BYTES = 8 * 1024
"""As much of a body that nobody wants is read to keep its connection; more is not worth it."""


@dataclass(frozen=True, slots=True)
class Download:
    """An image's bytes as received, and its media type by these bytes."""

    body: bytes
    media_type: str


class Downloader:
    """Downloads images; used by many threads at once."""

    def __init__(self, settings: Settings, resolver: Resolver, transport: Transport) -> None:
        self._settings = settings
        self._resolver = resolver
        self._transport = transport
        # Most images are small. Larger ones take turns, so that all threads together stay within the memory.
        self._large = threading.BoundedSemaphore(max(1, settings.held_bytes // settings.max_body_bytes))

    def download(self, url: str) -> Download:
        """Fetch an image. Raises Permanent or Transient with the reason."""
        settings = self._settings
        deadline = Deadline(time.monotonic() + settings.total_timeout_seconds, settings.idle_timeout_seconds)
        current_deadline.set(deadline)
        target = read_target(url, max_length=settings.max_url_length)
        for _hop in range(settings.max_redirects + 1):
            with translated(), self._ask(target) as response:
                if not is_redirect(response):
                    return self._read(response, deadline)
                location = response.headers["Location"]
                target = redirected(target, location, max_length=settings.max_url_length)
                self._use_up(response)
        raise Permanent(Reason.REDIRECT_LIMIT, f"more than {settings.max_redirects} redirects")

    def _ask(self, target: Target) -> requests.Response:
        address = self._resolver.resolve(target.host)
        return self._transport.get(target, address, connect_timeout_seconds=self._settings.connect_timeout_seconds)

    def _read(self, response: requests.Response, deadline: Deadline) -> Download:
        try:
            check_status(response, longest_wait_seconds=self._settings.retry_after_max_seconds)
        except (Permanent, Transient):
            self._use_up(response)
            raise
        if self._settings.honour_opt_out:
            check_opt_out(response)
        body = self._body(response, deadline)
        return Download(body, media_type(body, self._settings.image_formats))

    def _body(self, response: requests.Response, deadline: Deadline) -> bytes:
        most = self._settings.max_body_bytes
        declared = _declared_length(response)
        if declared is not None and declared > most:
            raise Permanent(Reason.TOO_LARGE, f"{declared:,} bytes by its header, allowed are {most:,}")
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Permanent(Reason.NOT_AN_IMAGE, f"encoded as {encoding:.40}, which was not asked for")
        raw = response.raw
        body = bytes(raw.read(min(SMALL_BYTES, most + 1), decode_content=False))
        if len(body) == SMALL_BYTES and most > SMALL_BYTES:
            if not self._large.acquire(timeout=max(0.0, deadline.at - time.monotonic())):
                raise Transient(Reason.TIMEOUT, "other large images were in the way")
            try:
                body += raw.read(most + 1 - len(body), decode_content=False)
            finally:
                self._large.release()
        if len(body) > most:
            raise Permanent(Reason.TOO_LARGE, f"more than {most:,} bytes")
        if declared is not None and len(body) < declared:
            raise Transient(Reason.INCOMPLETE_BODY, f"{len(body):,} of {declared:,} bytes")
        if not body:
            raise Permanent(Reason.EMPTY_BODY, f"status {response.status_code} without a body")
        return body

    @staticmethod
    def _use_up(response: requests.Response) -> None:
        """Read a short rest, so that the connection can be used again."""
        declared = _declared_length(response)
        if declared is not None and declared <= LEFTOVER_BYTES:
            try:
                response.raw.read(LEFTOVER_BYTES, decode_content=False)
            except (OSError, urllib3.exceptions.HTTPError):
                return  # it is closed instead


def _declared_length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
