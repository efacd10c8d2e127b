"""The body of a submission of a web page becomes its URL, read as the scraper will read it."""

from typing import Annotated, Any

from pydantic import Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, PydanticOmit
from pydantic_core.core_schema import no_info_after_validator_function, no_info_before_validator_function

from common.errors import Permanent
from common.fetching.target import read_target
from services.api.describing import JSON, reference
from services.api.inputs import REFUSED, Body, refused
from services.api.resources import resources
from services.api.url_lists import Name

LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
DESCRIBED = rf"^https?://{LABEL}(\.{LABEL}){{0,2}}(:[1-9][0-9]{{0,3}})?(/[A-Za-z0-9._~!$&'()*+,;=:@/-]*)?$"
"""URLs that are taken for sure; others are as well, such as those with a host of another script."""
NO_SECRET = "cannot be taken: webhooks are switched off here, as WEBHOOK_SECRET is not set."  # noqa: S105
KEPT = "Of a new task; one that is there already keeps its own."


class ReadAsUrl:
    """Reads a text as the URL that it will be asked for by."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_after_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        most = resources().settings.max_url_length
        return {**handler(schema), "pattern": DESCRIBED, "maxLength": most}

    def _read(self, text: str) -> str:
        try:
            return read_target(text, max_length=resources().settings.max_url_length).url
        except Permanent as error:
            raise refused(f"be an http or https URL that can be asked ({error.detail})", None) from None


class WhereSigned:
    """Takes something only, and describes it only, where WEBHOOK_SECRET is set."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return no_info_before_validator_function(self._check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if not resources().settings.webhook_secret:
            raise PydanticOmit
        return handler(schema)

    def _check(self, value: Any) -> Any:
        if value is not None and not resources().settings.webhook_secret:
            raise PydanticCustomError(REFUSED, "{sentence}", {"sentence": NO_SECRET})
        return value


Url = Annotated[str, ReadAsUrl()]


class PageBody(Body):
    """What a person hands in."""

    url: Annotated[Url, Field(description="The page: http or https.", examples=["https://example.com/cats/"])]
    name: Annotated[Name | None, Field(description=f"What to call the task. {KEPT}")] = None
    refresh: Annotated[
        bool, Field(description="Make a new task, whatever there is, and download known images again.")
    ] = False
    webhook: Annotated[
        Annotated[Url, Field(examples=["https://example.com/hooks/graymill"])] | None,
        Field(description=f"Where to POST it when the task is done. {KEPT}"),
        WhereSigned(),
    ] = None


REQUEST_BODY: dict[str, Any] = {"required": True, "content": {JSON: {"schema": reference(PageBody)}}}
