"""How an answer is put: as JSON or as a page, as the client asks; with the link to what comes next."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify, make_response, render_template, request, url_for

from services.api.inputs import InvalidInput, shown

IMMUTABLE = "public, max-age=31536000, immutable"
FORMATS = ("json", "html")


def wants_html() -> bool:
    """Tell whether a page is asked for: by `?format=html`, or by Accept preferring HTML. Raises InvalidInput."""
    chosen = request.args.get("format", "")
    if chosen and chosen not in FORMATS:
        raise InvalidInput(f"format must be json or html, not {shown(chosen)}.")
    return chosen == "html" if chosen else accepts_html()


def accepts_html() -> bool:
    """Tell whether Accept prefers HTML to JSON, as browsers do; without a preference the answer is JSON."""
    accept = request.accept_mimetypes
    return accept["text/html"] > accept["application/json"]


def negotiated(value: Mapping[str, Any], template: str, **context: Any) -> Response:
    """Answer with the value as JSON, or with the page."""
    response = make_response(render_template(template, **context)) if wants_html() else jsonify(value)
    response.vary.add("Accept")
    return response


def next_url(cursor: str | int | None) -> str | None:
    """Give the address of the current request's next page; None when there is none."""
    if cursor is None:
        return None
    arguments: dict[str, Any] = {**request.args.to_dict(), **(request.view_args or {}), "cursor": cursor}
    return url_for(str(request.endpoint), **{name: value for name, value in arguments.items() if value != ""})


def linked(response: Response, following: str | None) -> Response:
    """Add the Link header (RFC 8288) for the next page."""
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response
