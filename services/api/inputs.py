"""Text from outside becomes a number, a name out of a list or an id here, before it reaches a query.

What a value may be is declared once, as a field of one of these models: the check, the document at `/openapi.json` and
the sentence of a refusal are all made of that declaration.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ValidationInfo, ValidatorFunctionWrapHandler
from werkzeug.exceptions import NotFound

REFUSED = "refused"


class InvalidInput(Exception):
    """Something in the request cannot be accepted; the sentence it carries is the answer."""


class Input(BaseModel):
    """Values from outside: a field that is refused says what it must be, by its own declaration."""

    model_config = ConfigDict(frozen=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _told(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            fault = error.errors()[0]
            if fault["type"] == REFUSED:
                raise
            whole = cls.model_json_schema()
            name = cls.model_fields[str(info.field_name)].alias or str(info.field_name)
            requirement = _requirement(whole["properties"][name], whole.get("$defs", {}))
            places = [f"; entry {place + 1:,} is not one" for place in fault["loc"] if isinstance(place, int)]
            raise refused(f"{requirement}{''.join(places)}", value) from None


class Path(BaseModel):
    """The variable parts of an address. What cannot be one leads to nothing: 404, with the sentence `missing`."""

    model_config = ConfigDict(frozen=True)
    missing: ClassVar[str]

    @model_validator(mode="wrap")
    @classmethod
    def _found(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise NotFound(cls.missing) from None


class Query(Input):
    """The arguments behind the question mark; forms send empty ones, which are as absent. Others are ignored."""

    @classmethod
    @cache
    def model_json_schema(cls, *arguments: Any, **named: Any) -> dict[str, Any]:  # type: ignore[override]
        """Describe the model; flask-openapi asks for it at every request."""
        return super().model_json_schema(*arguments, **named)

    @model_validator(mode="before")
    @classmethod
    def _without_empty(cls, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in arguments.items() if value != ""}


class Body(Input):
    """The members of a JSON object: of exactly these types, and no others."""

    # Python's regular expressions call the same characters blank as str.strip does.
    model_config = ConfigDict(strict=True, extra="forbid", regex_engine="python-re")

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read it. Raises InvalidInput."""
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            raise invalid_input(error) from None

    @classmethod
    def checked(cls, **members: Any) -> Self:
        """Make it of members that are not checked yet. Raises InvalidInput."""
        try:
            return cls(**members)
        except ValidationError as error:
            raise invalid_input(error) from None


def refused(requirement: str, value: Any) -> PydanticCustomError:
    """Make the error of a validator that says itself what a value must do ("lie in the years 1970 to 2999")."""
    given = f", not {shown(value)}" if isinstance(value, str) else ""
    return PydanticCustomError(REFUSED, "{sentence}", {"sentence": f"must {requirement}{given}."})


def invalid_input(error: ValidationError) -> InvalidInput:
    """Make the refusal: the first of the faults, as a sentence."""
    return InvalidInput(_sentence(error.errors(include_url=False)[0]))


def shown(text: str) -> str:
    """Quote a text from outside, shortened, without control characters."""
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _sentence(fault: ErrorDetails) -> str:
    name = str(fault["loc"][0]) if fault["loc"] else ""
    match fault["type"]:
        case "json_invalid":
            return f"The body is no JSON: {fault['ctx']['error']}."
        case "missing":
            return f"{name} is missing."
        case "extra_forbidden":
            return f"There is no member {shown(name)}."
        case _:
            return f"{name} {fault['msg']}" if name else "The body must be a JSON object."


def _requirement(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Say what a value must be, by its JSON schema."""
    match schema:
        case {"$ref": target}:
            return _requirement(definitions[target.rpartition("/")[2]], definitions)
        case {"anyOf": [first, *_]}:
            return _requirement(first, definitions)
        case {"enum": names}:
            kind = f"one of {', '.join(names)}"
        case {"type": "integer", "minimum": low, "maximum": high}:
            kind = f"a whole number from {low:,} to {high:,}"
        case {"type": "boolean"}:
            kind = "true or false"
        case {"format": "date-time"}:
            kind = "a time such as 2024-05-31T18:30:00Z"
        case {"format": "uuid"}:
            kind = "an id as we write them, with hyphens"
        case {"type": "string", "maxLength": most}:
            kind = f"a text of at most {most:,} characters"
        case {"type": "array", "items": {"type": "string"}}:
            kind = "a list of one or more strings, none of them empty"
        case _:
            kind = "as /docs describes it"
    return f"be {kind}"
