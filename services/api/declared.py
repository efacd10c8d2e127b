"""What the routes say of themselves in the document, looked up by the request: it is also what holds."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from flask import Request
from flask_openapi import OpenAPI

READING = ("GET", "HEAD", "OPTIONS")
ANYBODY: list[dict[str, list[str]]] = [{}]
"""The `security` of a route that changes something and needs no key."""
_TOO_MANY = str(HTTPStatus.TOO_MANY_REQUESTS.value)


@dataclass(frozen=True)
class Declared:
    """Endpoints by what their routes declare: `costly` reads name the status 429, `keyless` writes ANYBODY."""

    costly: frozenset[str]
    keyless: frozenset[str]

    @classmethod
    def by(cls, app: OpenAPI) -> "Declared":
        """Look at all routes of the application."""
        costly, keyless = set(), set()
        for rule in app.url_map.iter_rules():
            item = app.paths.get(re.sub(r"<(?:[^<:>]+:)?([^<>]+)>", r"{\1}", rule.rule))
            for method in rule.methods or ():
                operation = getattr(item, method.lower(), None)
                if operation is not None and method == "GET" and _TOO_MANY in operation.responses:
                    costly.add(rule.endpoint)
                if operation is not None and operation.security == ANYBODY:
                    keyless.add(rule.endpoint)
        return cls(frozenset(costly), frozenset(keyless))

    def needs_key(self, request: Request) -> bool:
        """Tell whether it changes something that not everybody may change; what leads nowhere needs none."""
        return request.endpoint is not None and not is_reading(request) and request.endpoint not in self.keyless

    def is_limited(self, request: Request) -> bool:
        """Tell whether such requests are counted."""
        return request.endpoint is not None and (not is_reading(request) or request.endpoint in self.costly)


def is_reading(request: Request) -> bool:
    """Tell whether it changes nothing."""
    return request.method in READING
