"""How an answer is put: as JSON or as a page, as the client asks; with the link to what comes next."""

from typing import Any

from flask import Response, make_response, render_template, request, url_for

from services.api.describing import JSON, Answer
from services.api.inputs import Query
from services.api.values import Format

IMMUTABLE = "public, max-age=31536000, immutable"


def wants_html(chosen: str | None) -> bool:
    """Tell whether a page is asked for: by its name, or by Accept preferring HTML to JSON, as browsers do."""
    if chosen in tuple(Format):
        return chosen == Format.HTML
    accept = request.accept_mimetypes
    return accept["text/html"] > accept["application/json"]


def as_json(value: Answer, status: int = 200) -> Response:
    """Answer with the value as JSON."""
    return Response(f"{value.model_dump_json()}\n", status, mimetype=JSON)


def negotiated(value: Answer, template: str, chosen: Format | None, **context: Any) -> Response:
    """Answer with the value as JSON, or with the page."""
    response = make_response(render_template(template, **context)) if wants_html(chosen) else as_json(value)
    response.vary.add("Accept")
    return response


def see_other(address: str) -> Response:
    """Lead who sent a form to the page that shows what became of it."""
    return Response(status=303, headers={"Location": address})


def next_url(query: Query, cursor: str | int | None) -> str | None:
    """Give the address of the current request's next page; None when there is none."""
    if cursor is None:
        return None
    asked = query.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"cursor"})
    return url_for(str(request.endpoint), **(request.view_args or {}), **asked, cursor=cursor)


def linked(response: Response, following: str | None) -> Response:
    """Add the Link header (RFC 8288) for the next page."""
    if following is not None:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response
