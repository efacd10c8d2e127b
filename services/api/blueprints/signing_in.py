"""`/sign-in`: who types a key once may use the forms for some hours, without the key going along."""

from typing import Annotated, Any

from flask import Response, make_response, render_template, request, url_for
from flask_openapi import APIBlueprint
from pydantic import Field, ValidationError
from werkzeug.exceptions import Unauthorized

from services.api.answers import see_other, wants_html
from services.api.authentication import NO_KEYS, WRONG_KEY, begin_session, end_session, unauthorized
from services.api.declared import ANYBODY
from services.api.describing import HTML, SHORT_FORM, answer, problems
from services.api.inputs import Query, invalid_input
from services.api.problems import http_problem
from services.api.resources import resources
from services.api.tags import PAGES

OURS = r"^/([^/\\\x00-\x20\x7f][^\\\x00-\x20\x7f]*)?$"
"""An address on this server: no host can be in it."""
REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "description": "A key, and where to go on.",
    "content": {
        SHORT_FORM: {
            "schema": {
                "type": "object",
                "required": ["key"],
                "properties": {
                    "key": {"type": "string", "examples": ["$GRAYMILL_KEY"]},
                    "next": {"type": "string", "pattern": OURS},
                },
            }
        }
    },
}
blueprint = APIBlueprint("signing_in", __name__, abp_tags=[PAGES])


class SignInQuery(Query):
    """Where to go on."""

    next: Annotated[str, Field(pattern=OURS, max_length=4_096, description="The address to go on to.")] = "/"


@blueprint.get("/sign-in", operation_id="showSignIn", responses={200: answer("The page.", HTML), **problems(422)})
def page(query: SignInQuery) -> Response:
    """Show the page to sign in."""
    return make_response(render_template("sign_in.html", next=query.next, refusal=None))


@blueprint.post(
    "/sign-in",
    operation_id="signIn",
    security=ANYBODY,
    request_body=REQUEST_BODY,
    responses={
        303: answer("Signed in, and on.", headers=("Location", "Set-Cookie")),
        **problems(401, 413, 422),
    },
)
def sign_in() -> Response:
    """Open a session for who has a key."""
    try:
        query = SignInQuery.model_validate({"next": request.form.get("next", "")})
    except ValidationError as error:
        raise invalid_input(error) from None
    digest = resources().keys.find(request.form.get("key", "").strip())
    if digest is None:
        raise unauthorized(WRONG_KEY if resources().keys else NO_KEYS)
    response = see_other(query.next)
    begin_session(response, digest)
    return response


@blueprint.post(
    "/sign-out",
    operation_id="signOut",
    security=ANYBODY,
    responses={303: answer("Signed out, and home.", headers=("Location", "Set-Cookie"))},
)
def sign_out() -> Response:
    """End the session: nobody can use it any more."""
    response = see_other(url_for("home.home"))
    end_session(response)
    return response


@blueprint.errorhandler(Unauthorized)
def _refused(error: Unauthorized) -> Response:
    """Show the page again with the sentence; what was typed is not sent back."""
    response = http_problem(error)
    if wants_html(None):
        page = render_template("sign_in.html", next=request.form.get("next", "") or "/", refusal=error.description)
        response.set_data(page)
    return response
