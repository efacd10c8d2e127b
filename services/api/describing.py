"""What a route says about its answers, for the document at `/openapi.json`."""

from http import HTTPStatus
from typing import Annotated, Any

from flask_openapi import Response as Described
from flask_openapi.types import ResponseDict
from pydantic import BaseModel, ConfigDict, Field

HTML = "text/html"
TEXT = "text/plain"
CSV = "text/csv"
JSON_LINES = "application/jsonl"
FORM = "multipart/form-data"
SHORT_FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
PROBLEM = "application/problem+json"
SCHEMAS = "#/components/schemas/"
RESPONSES = "#/components/responses/"

PROBLEMS = {
    HTTPStatus.UNAUTHORIZED: "It needs an API key, and came with none that is taken.",
    HTTPStatus.FORBIDDEN: "A page of another site sent it.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than is taken.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body is of a type, charset or encoding that is not taken.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "A value cannot be accepted; `detail` says which, and what it must be.",
    HTTPStatus.TOO_MANY_REQUESTS: "The address or the key has asked too often; wait.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The database or the broker does not answer just now; try again.",
}
"""The errors that routes name, and what each means for all of them."""

HEADERS: dict[str, Any] = {
    name: {"description": description, "schema": {"type": kind}}
    for name, description, kind in (
        ("Link", 'The next page, as `<address>; rel="next"` (RFC 8288); absent on the last one.', "string"),
        ("Location", "The address to go to.", "string"),
        (
            "ETag",
            "Send it as `If-None-Match`, and the answer is 304 without a body while nothing has changed.",
            "string",
        ),
        ("Content-Location", "Where the image that a file name meant is for good.", "string"),
        ("X-Other-Images", "How many other images have the file name; with a + there may be more.", "string"),
        ("Retry-After", "How many seconds to wait before trying again.", "integer"),
        ("WWW-Authenticate", "How a key is sent (RFC 6750).", "string"),
        ("Set-Cookie", "The session, which the browser sends with requests of these pages only.", "string"),
    )
}
"""What the headers mean that routes name."""

HEADERS_OF_PROBLEMS = {
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}


class Answer(BaseModel):
    """What is answered as JSON. A member is always there, though it may be null."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, json_schema_serialization_defaults_required=True)


class Problem(Answer):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: Annotated[str, Field(description="The kind of problem; about:blank: the status says it.")] = "about:blank"
    title: Annotated[str, Field(description="The status in words.", examples=["Unprocessable Entity"])]
    status: Annotated[int, Field(description="The HTTP status.", examples=[422])]
    detail: Annotated[
        str,
        Field(
            description="What went wrong, in a sentence.",
            examples=["limit must be a whole number from 1 to 100, not 'x'."],
        ),
    ]
    request_id: Annotated[
        str | None,
        Field(description="Names the request in the server's log.", examples=["0b1c7d2e9f3a4b5c8d6e7f0a1b2c3d4e"]),
    ]


def answer(
    description: str, *contents: type[Answer] | str, headers: tuple[str, ...] = (), links: Any = None
) -> Described:
    """Describe an answer: the models or the media types that it may come as, and headers out of `HEADERS`."""
    described: dict[str, Any] = {"description": description}
    if contents:
        described["content"] = dict(map(_content, contents))
    if headers:
        described["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in headers}
    if links:
        described["links"] = links
    return Described.model_validate(described)


UNCHANGED = answer("Not changed: who asks has it already, by its ETag.", headers=("ETag",))


def problems(*statuses: int) -> ResponseDict:
    """Describe the errors that a route answers with, out of `PROBLEMS`."""
    return {status: Described.model_validate({"$ref": f"{RESPONSES}{HTTPStatus(status).name}"}) for status in statuses}


def reference(model: type[BaseModel]) -> dict[str, str]:
    """Refer to a model's schema."""
    return {"$ref": f"{SCHEMAS}{model.__name__}"}


def _content(content: type[Answer] | str) -> tuple[str, dict[str, Any]]:
    if not isinstance(content, str):
        return JSON, {"schema": reference(content)}
    if content == JSON:
        return JSON, {"schema": {"type": "object"}}
    return content, {"schema": {"type": "string"}} if content.startswith("text/") else {}
