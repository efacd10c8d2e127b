"""What is logged of requests: a line for each that may have changed something, the request's id on every line."""

import logging

from flask import Response, g, has_request_context, request

from services.api.declared import is_reading

log = logging.getLogger(__name__)


class RequestId(logging.Filter):
    """Writes the id of the request that is being answered into the record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record through."""
        if has_request_context():
            record.request_id = g.get("request_id")
        return True


def note(response: Response) -> Response:
    """Log how a request was answered: never its query, its body, or a header."""
    level = logging.DEBUG if is_reading(request) else logging.INFO
    log.log(level, "%s %s for %s: %d", request.method, request.path, request.remote_addr, response.status_code)
    return response
