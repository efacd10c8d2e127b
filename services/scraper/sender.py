"""A body POSTed to a stranger's address, checked and bounded as any download; redirects are not followed."""

import time
from collections.abc import Mapping

from common.errors import Permanent, Transient
from common.fetching.addresses import Resolver
from common.fetching.answer import check_status
from common.fetching.deadline import Deadline, current_deadline
from common.fetching.faults import translated
from common.fetching.target import read_target
from common.fetching.transport import Transport
from common.reasons import Reason
from common.settings import Settings

MOST_SECONDS = 15.0
GONE = 410


class Sender:
    """Sends; used by several threads at once."""

    def __init__(self, settings: Settings, resolver: Resolver, transport: Transport) -> None:
        self._settings = settings
        self._resolver = resolver
        self._transport = transport

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Hand a body over; an answer of 2xx is enough. Raises Transient, or Permanent when it may not be sent there.

        A refusal is transient, as the receiver may just be being mended; only 410 says that nobody listens any more.
        """
        deadline = Deadline(time.monotonic() + MOST_SECONDS, self._settings.idle_timeout_seconds)
        current_deadline.set(deadline)
        target = read_target(url, max_length=self._settings.max_url_length)
        connect_seconds = self._settings.connect_timeout_seconds
        try:
            with translated():
                addresses = self._resolver.resolve(target.host, within_seconds=deadline.remaining())
                with self._transport.post(
                    target, addresses, body, headers, connect_timeout_seconds=connect_seconds
                ) as response:
                    check_status(response, longest_wait_seconds=self._settings.retry_after_max_seconds)
        except Permanent as error:
            if error.reason is Reason.BLOCKED_ADDRESS or error.status in (None, GONE):
                raise
            raise Transient(error.reason, error.detail, status=error.status) from error
