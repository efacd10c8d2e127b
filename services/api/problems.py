"""What goes wrong is told in a sentence: as application/problem+json (RFC 9457), or as a page to who reads HTML."""

from http import HTTPStatus
from typing import Any, NoReturn

from flask import Flask, Response, g, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from common.errors import Unavailable
from services.api.answers import wants_html
from services.api.describing import PROBLEM, Problem
from services.api.inputs import InvalidInput, invalid_input
from services.api.submitting import HalfDone

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
    app.register_error_handler(HalfDone, half_done)
    app.register_error_handler(HTTPException, http_problem)


def problem(status: int, sentence: str, **more: Any) -> Response:
    """Make the answer. Further members of the JSON form may be given; links of the page are made of `links`."""
    title = HTTPStatus(status).phrase
    if wants_html(request.args.get("format")):
        page = render_template("problem.html", status=status, title=title, sentence=sentence, **more)
        response = Response(page, status, mimetype="text/html")
    else:
        value = Problem(title=title, status=status, detail=sentence, request_id=g.get("request_id"), **more)
        response = Response(f"{value.model_dump_json()}\n", status, mimetype=PROBLEM)
    response.vary.add("Accept")
    return response


def refuse(error: ValidationError) -> NoReturn:
    """Refuse what does not agree with the declaration of a route's arguments. Raises InvalidInput."""
    raise invalid_input(error) from None


def unavailable(error: Unavailable, **more: Any) -> Response:
    """Answer that the database or the broker is away. The error's own text, which may name hosts, stays here."""
    sentence = more.pop("sentence", sentence_of(error))
    response = problem(503, sentence, **more)
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def sentence_of(error: Unavailable) -> str:
    """Say who is away."""
    who = "broker" if str(error).startswith("RabbitMQ") else "database"
    return f"The {who} does not answer just now; try again in a few seconds."


def half_done(error: HalfDone) -> Response:
    """Answer that a part may be done, and name the task that tells which."""
    links = {"task": url_for("url_tasks.task", task_id=error.task_id)}
    return unavailable(error, sentence=error.sentence, task=str(error.task_id), links=links)


def _invalid_input(error: InvalidInput) -> Response:
    return problem(422, str(error))


def http_problem(error: HTTPException) -> Response:
    """Answer what werkzeug or a route has raised, with the headers that belong to it."""
    own = error.get_response(request.environ)
    if error.code is None or error.code < 400:
        return Response(own.get_data(), error.code, dict(own.headers))
    given = error.description if error.description != type(error).description else None
    sentence = given or SENTENCES.get(error.code, "").format(method=request.method) or str(error.description)
    response = problem(error.code, sentence)
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in own.headers:
            response.headers[name] = own.headers[name]
    return response
