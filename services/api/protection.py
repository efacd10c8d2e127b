"""What every request and every answer gets: an id, a deadline at the database, and the security headers.

What changes something is not taken from other sites' pages. Where callers have to say who they are, that belongs here.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import uuid4

import pymongo
from flask import Flask, Response, g, request
from werkzeug.exceptions import Forbidden

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READING = ("GET", "HEAD", "OPTIONS")
READ_SECONDS = 4.0
WRITE_SECONDS = 20.0
POLICY = {
    "default-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # With no-referrer, browsers send `Origin: null` even to ourselves.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


def content_security_policy(**changes: str) -> str:
    """Write the policy of our pages, with these directives (`style_src` for style-src) set."""
    directives = {**POLICY, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def register(app: Flask) -> None:
    """Put it around all of the application's routes."""
    app.before_request(_name_request)
    app.before_request(_refuse_other_sites)
    app.after_request(_add_headers)
    app.wsgi_app = _with_deadline(app.wsgi_app)  # type: ignore[method-assign, assignment]


def _name_request() -> None:
    given = request.headers.get("X-Request-ID", "")
    g.request_id = given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else uuid4().hex


def _refuse_other_sites() -> None:
    """Take what changes something only from our own pages and from programs, which send neither of these headers.

    Sec-Fetch-Site is what browsers say of a request (W3C, Fetch Metadata); to addresses without TLS they send Origin.
    """
    if request.method in READING:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        ours = origin is None or origin.partition("://")[2].lower() == request.host.lower()
    if not ours:
        raise Forbidden("This came from a page of another site; only pages of this one may send it.")


def _add_headers(response: Response) -> Response:
    """Add what the route has not set itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", content_security_policy())
    response.headers["X-Request-ID"] = g.request_id
    return response


def _with_deadline(application: "WSGIApplication") -> "WSGIApplication":
    """Bound the time that a request may spend at the database, so that an outage is told and not waited for."""

    def bounded(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        reading = environ.get("REQUEST_METHOD") in READING
        with pymongo.timeout(READ_SECONDS if reading else WRITE_SECONDS):
            return application(environ, start_response)

    return bounded
