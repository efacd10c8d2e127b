"""What the home page's forms send, read: the checks and their sentences are those of the JSON routes."""

from typing import Any

from flask import request
from pydantic import ValidationError

from common.page_tasks import Kind
from services.api.bodies import Received, decoded
from services.api.describing import FORM, SHORT_FORM, TEXT
from services.api.inputs import InvalidInput, Query, invalid_input
from services.api.page_submissions import PageBody
from services.api.url_lists import MOST_NAME_CHARACTERS, FileQuery, UrlList, read_url_list
from services.api.values import Truth

TICKED = {"type": "string", "enum": ["true", "false"]}
URLS_BODY: dict[str, Any] = {
    "required": True,
    "description": "URLs, one a line, as a text, as a file, or both.",
    "content": {
        FORM: {
            "schema": {
                "type": "object",
                "properties": {
                    "urls": {"type": "string", "examples": ["https://example.com/a.png"]},
                    "file": {"type": "string", "description": "A file of URLs, in UTF-8."},
                    "name": {"type": "string", "maxLength": MOST_NAME_CHARACTERS, "examples": ["cats"]},
                    "refresh": TICKED,
                },
            }
        }
    },
}
PAGE_BODY: dict[str, Any] = {
    "required": True,
    "description": "A web page, and what of it is wanted.",
    "content": {
        SHORT_FORM: {
            "schema": {
                "type": "object",
                "required": ["url"],
                "properties": {
                    "url": {"type": "string", "examples": ["https://example.com/cats/"]},
                    **{kind.value: {**TICKED, "examples": ["true"]} for kind in Kind},
                    "refresh": TICKED,
                },
            }
        }
    },
}


def read_urls_form() -> UrlList:
    """Read the list, what was typed before what is in the file. Raises InvalidInput or RequestEntityTooLarge."""
    try:
        query = FileQuery.model_validate({name: request.form.get(name, "") for name in ("name", "refresh")})
    except ValidationError as error:
        raise invalid_input(error) from None
    file = request.files.get("file")
    read = file.read() if file else b""
    return read_url_list(Received(TEXT, f"{request.form.get('urls', '')}\n{decoded(read)}"), query)


class Ticked(Query):
    """What of a page is wanted, and whether anew."""

    images: Truth = False
    text: Truth = False
    refresh: Truth = False


def read_page_form() -> tuple[PageBody, list[Kind]]:
    """Read which page, and what of it is wanted. Raises InvalidInput or RequestEntityTooLarge."""
    try:
        ticked = Ticked.model_validate(request.form.to_dict())
    except ValidationError as error:
        raise invalid_input(error) from None
    kinds = [kind for kind in Kind if getattr(ticked, kind.value)]
    if not kinds:
        raise InvalidInput("Choose the page's images, its text, or both.")
    return PageBody.checked(url=request.form.get("url", ""), refresh=ticked.refresh), kinds
