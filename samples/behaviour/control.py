"""What the site tells of itself."""

from __future__ import annotations

import json
from http import HTTPStatus

from samples.answer import Answer, text
from samples.visit import Visit


def health(_visit: Visit) -> Answer:
    """OK, once the site answers at all."""
    return text("OK")


def requests_seen(visit: Visit) -> Answer:
    """{path: count} of the requests since the start or the last reset."""
    body = json.dumps(visit.memory.requests.counts()).encode()
    return Answer(HTTPStatus.OK, "application/json", body)


def forget_requests(visit: Visit) -> Answer:
    """Count from nothing again."""
    visit.memory.requests.forget()
    return Answer(HTTPStatus.NO_CONTENT)
