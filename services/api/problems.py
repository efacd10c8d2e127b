"""What goes wrong is told in a sentence: as application/problem+json (RFC 9457), or as a page to who reads HTML."""

import json
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import HTTPException

from common.errors import Unavailable
from services.api.answers import accepts_html
from services.api.inputs import InvalidInput

RETRY_AFTER_SECONDS = 5
SENTENCES = {
    404: "There is nothing at this address.",
    405: "This address does not take the method {method}.",
    500: "Something went wrong here that is not your doing; the server's log says what, under this request's id.",
}
"""Said in place of werkzeug's own sentences."""


def register(app: Flask) -> None:
    """Have every error of the application's routes answered here."""
    app.register_error_handler(InvalidInput, _invalid_input)
    app.register_error_handler(Unavailable, unavailable)
    app.register_error_handler(HTTPException, _http_exception)


def problem(status: int, sentence: str, **more: Any) -> Response:
    """Make the answer. Further members of the JSON form may be given; links of the page are made of `links`."""
    title = HTTPStatus(status).phrase
    if request.args.get("format") == "html" or (accepts_html() and request.args.get("format") != "json"):
        page = render_template("problem.html", status=status, title=title, sentence=sentence, **more)
        response = Response(page, status, mimetype="text/html")
    else:
        members = {"type": "about:blank", "title": title, "status": status, "detail": sentence, **more}
        body = json.dumps({**members, "request_id": g.get("request_id")})
        response = Response(f"{body}\n", status, mimetype="application/problem+json")
    response.vary.add("Accept")
    return response


def unavailable(error: Unavailable, **more: Any) -> Response:
    """Answer that the database or the broker is away. The error's own text, which may name hosts, stays here."""
    who = "broker" if str(error).startswith("RabbitMQ") else "database"
    sentence = more.pop("sentence", f"The {who} does not answer just now; try again in a few seconds.")
    response = problem(503, sentence, **more)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _invalid_input(error: InvalidInput) -> Response:
    return problem(422, str(error))


def _http_exception(error: HTTPException) -> Response:
    own = error.get_response(request.environ)
    if error.code is None or error.code < 400:
        return Response(own.get_data(), error.code, dict(own.headers))
    given = error.description if error.description != type(error).description else None
    sentence = given or SENTENCES.get(error.code, "").format(method=request.method) or str(error.description)
    response = problem(error.code, sentence)
    for name in ("Allow", "Retry-After"):
        if name in own.headers:
            response.headers[name] = own.headers[name]
    return response
