"""What every request and every answer gets: an id, who asks, a deadline at the database, and the security headers."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import uuid4

import pymongo
from flask import Flask, Response, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from common.settings import Settings
from services.api import authentication, gate, request_log
from services.api.declared import READING
from services.api.describing import HTML

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READ_SECONDS = 4.0
WRITE_SECONDS = 20.0
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, browsers send `Origin: null` even to ourselves.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def register(app: Flask, settings: Settings) -> None:
    """Put it around all of the application's routes."""
    app.before_request(_name_request)
    app.before_request(gate.refuse_other_hosts)
    app.before_request(gate.refuse_other_sites)
    app.before_request(authentication.identify)
    app.before_request(gate.refuse_too_many)
    app.before_request(authentication.authorize)
    app.after_request(_add_headers)
    app.after_request(request_log.note)
    # Not the host: a proxy that does not send it would hand on what a client wrote.
    proxies = settings.api_trusted_proxies
    app.wsgi_app = ProxyFix(_with_deadline(app.wsgi_app), x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else uuid4().hex


def _add_headers(response: Response) -> Response:
    """Add what the route has not set itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-ID"] = g.request_id
    if response.mimetype == HTML and authentication.asks_for_keys():
        response.vary.add("Cookie")
    return response


def _with_deadline(application: "WSGIApplication") -> "WSGIApplication":
    """Bound the time that a request may spend at the database, so that an outage is told and not waited for."""

    def bounded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        reading = environ.get("REQUEST_METHOD") in READING
        with pymongo.timeout(READ_SECONDS if reading else WRITE_SECONDS):
            return application(environ, start_response)

    return bounded
