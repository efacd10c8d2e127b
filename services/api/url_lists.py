"""The body of a submission becomes a list of URLs. Whether a URL is any good is for the fetcher to find out."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema
from pydantic_core.core_schema import no_info_after_validator_function

from services.api.bodies import Received
from services.api.describing import JSON, TEXT, reference
from services.api.inputs import Body, InvalidInput, Query, refused
from services.api.resources import resources
from services.api.values import Absent, Truth

MOST_NAME_CHARACTERS = 200
A_LINE = r"(^|[\r\n])[^\S\r\n]*[^\s#]"
"""Is found in a file that has a line which is neither blank nor a comment."""
EXAMPLE_FILE = "# my images\nhttps://example.com/a.png\nhttps://example.com/b.jpg\n"
NAMED = "What to call the task."
REFRESHED = "Download URLs that are known already, too."


class AsManyAsTaken:
    """Bounds a list by the setting API_MAX_URLS of the current application."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "maxItems": resources().settings.api_max_urls}

    def _check(self, urls: list[str]) -> list[str]:
        most = resources().settings.api_max_urls
        if len(urls) > most:
            raise refused(f"be at most {most:,} at once; these are {len(urls):,}", None)
        return urls


Url = Annotated[str, Field(pattern=r"\S"), AfterValidator(str.strip)]
Name = Annotated[str, Field(max_length=MOST_NAME_CHARACTERS, description=NAMED, examples=["cats"])]


class UrlList(Body):
    """What a person hands in."""

    urls: Annotated[
        list[Url],
        Field(min_length=1, examples=[["https://example.com/a.png", "https://example.com/b.jpg"]]),
        AsManyAsTaken(),
    ]
    name: Name | None = None
    refresh: Annotated[bool, Field(description=REFRESHED)] = False


class FileQuery(Query):
    """What JSON says in members of its own; only for the lines of a file."""

    name: Annotated[Name | Absent, Field(description=f"{NAMED} For text/plain.")] = None
    refresh: Annotated[Truth, Field(description=f"{REFRESHED} For text/plain.")] = False


REQUEST_BODY: dict[str, Any] = {
    "required": True,
    "description": "The URLs: as JSON, or the lines of a file without those that are blank or start with #.",
    "content": {
        JSON: {"schema": reference(UrlList)},
        TEXT: {
            "schema": {"type": "string", "pattern": A_LINE, "not": {"pattern": r"\u0000"}},
            "example": EXAMPLE_FILE,
        },
    },
}


def read_url_list(body: Received, query: FileQuery) -> UrlList:
    """Read the list of a submission. Raises InvalidInput."""
    if body.media_type == JSON:
        return UrlList.from_json(body.text)
    lines = [line.strip() for line in re.split(r"\r\n|\n|\r", body.text)]
    binary = next((number for number, line in enumerate(lines, 1) if "\0" in line), None)
    if binary is not None:
        raise InvalidInput(f"This is no list of URLs: line {binary:,} has a zero byte.")
    urls = [line for line in lines if line and not line.startswith("#")]
    if not urls:
        raise InvalidInput("There is no URL in the list.")
    return UrlList.checked(urls=urls, name=query.name, refresh=query.refresh)
