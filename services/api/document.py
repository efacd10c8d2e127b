"""The OpenAPI document: what the routes say of themselves, completed by what all of them share."""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from http import HTTPStatus
from typing import Any, cast

from flask import current_app
from flask_openapi import APIBlueprint, Info, OpenAPI
from flask_openapi.models.operation import Operation
from flask_openapi.models.path_item import PathItem
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from services.api.authentication import SESSION, asks_for_keys
from services.api.declared import ANYBODY
from services.api.describing import (
    HEADERS,
    HEADERS_OF_PROBLEMS,
    HTML,
    JSON,
    PROBLEM,
    PROBLEMS,
    RESPONSES,
    SCHEMAS,
    Answer,
    Problem,
    answer,
    reference,
)
from services.api.examples import example_of
from services.api.inputs import Body

VERSION = "3.1.0"
"""Of OpenAPI: the latest that the usual clients and testers read."""
INFO = Info(
    title="Graymill",
    version="1",
    description="Lists of URLs go in; de-duplicated images come out, each with an exact gray version, and with a true "
    "account of every single URL. All times are UTC. Every GET route answers HEAD, too; what else a route "
    "does not take is answered with 405 and `Allow`, and who asks by a name that the server does not go by with 421. "
    "Every error is a problem (RFC 9457) whose `detail` is a sentence, or a page for who prefers HTML. The header "
    "`X-Request-ID` of an answer names the request in the server's log; a request may bring its own.",
)
Json = dict[str, Any]
KEYS: Json = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key, as `Authorization: Bearer KEY`."},
    "session": {"type": "apiKey", "in": "cookie", "name": SESSION, "description": "What signing in gives a browser."},
}
"""The ways to say who asks; one of them is needed by every route that changes something."""


def register(app: OpenAPI, blueprint: APIBlueprint) -> None:
    """Add a blueprint's routes to the application and to its document.

    The library forgets the methods that another blueprint brought for the same path; here they stay.
    """
    known = dict(app.paths)
    app.register_api(blueprint)
    for path in known.keys() & blueprint.paths.keys():
        app.paths[path] = known[path].model_copy(update=_methods(blueprint.paths[path]))


def document() -> Json:
    """Make the document of the current application."""
    found = deepcopy(cast(OpenAPI, current_app).api_doc)
    for methods in found["paths"].values():
        for method in methods.keys() - {"get"}:
            _add_what_writes_share(methods[method])
    for operation in _operations(found):
        _drop_what_was_added(operation)
        operation["responses"] = dict(sorted(operation["responses"].items()))
    components = found["components"]
    components["schemas"] = {**components["schemas"], **_schemas()}
    components["responses"] = {status.name: _problem(status, meaning) for status, meaning in PROBLEMS.items()}
    components["headers"] = HEADERS
    components["securitySchemes"] = KEYS
    found = {**_plain(found), "info": found["info"]}
    found["components"]["schemas"] = _reachable(found)
    for parameter in [each for operation in _operations(found) for each in operation.get("parameters", [])]:
        if parameter["in"] == "query" and not parameter["required"]:
            parameter["allowEmptyValue"] = True
        if "$ref" in parameter["schema"]:
            named = found["components"]["schemas"][parameter["schema"]["$ref"].removeprefix(SCHEMAS)]
            parameter.setdefault("description", named.get("description", ""))
    for content in _contents(found):
        if "$ref" in content["schema"]:
            content["example"] = example_of(content["schema"], found["components"]["schemas"])
    return found


def _add_what_writes_share(operation: Json) -> None:
    statuses = [HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS]
    if asks_for_keys() and operation.get("security") != ANYBODY:
        operation["security"] = [{name: []} for name in KEYS]
        statuses.append(HTTPStatus.UNAUTHORIZED)
    operation["responses"] |= {str(status.value): {"$ref": f"{RESPONSES}{status.name}"} for status in statuses}


def _methods(item: PathItem) -> dict[str, Operation]:
    return {method: operation for method, operation in item if isinstance(operation, Operation)}


def _schemas() -> Json:
    """Give the schemas of all that is answered, as it is written, and of all bodies, as they are read."""
    answers: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "serialization") for model in _below(Answer)]
    bodies: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "validation") for model in _below(Body)]
    _, schemas = models_json_schema([*answers, *bodies], ref_template=f"{SCHEMAS}{{model}}")
    return dict(schemas["$defs"])


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in model.__subclasses__():
        yield child
        yield from _below(child)


def _problem(status: HTTPStatus, meaning: str) -> Json:
    described = answer(meaning, HTML, headers=HEADERS_OF_PROBLEMS.get(status, ()))
    written: Json = described.model_dump(mode="json", by_alias=True, exclude_none=True)
    return {**written, "content": {PROBLEM: {"schema": reference(Problem)}, **written["content"]}}


def _drop_what_was_added(operation: Json) -> None:
    """Take away the 422 that the library adds to routes that name none: there is nothing to refuse."""
    if JSON in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]


def _plain(value: Any) -> Any:
    """Leave out titles, which repeat the names, and defaults of what is simply absent; write 1.0 as 1."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items() if not _is_noise(name, each)}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_noise(name: str, value: Any) -> bool:
    """A member of an answer that is called `title` has a schema, not a text."""
    return (name == "title" and isinstance(value, str)) or (name == "default" and value is None)


def _reachable(found: Json) -> Json:
    """Keep the schemas that something refers to."""
    schemas = found["components"]["schemas"]
    wanted: dict[str, None] = {}
    places: list[Any] = [found["paths"], found["components"]["responses"]]
    while places:
        for name in _referred(places.pop()):
            if name not in wanted:
                wanted[name] = None
                places.append(schemas[name])
    return {name: schemas[name] for name in sorted(wanted)}


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        target = value.get("$ref")
        if isinstance(target, str) and target.startswith(SCHEMAS):
            yield target.removeprefix(SCHEMAS)
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _referred(each)


def _operations(found: Json) -> Iterator[Json]:
    for path in found["paths"].values():
        yield from path.values()


def _contents(found: Json) -> Iterator[Json]:
    """Give every JSON body of the document, sent or answered."""
    places = [*found["components"]["responses"].values()]
    for operation in _operations(found):
        places += [operation.get("requestBody", {}), *operation["responses"].values()]
    for place in places:
        yield from (content for name, content in place.get("content", {}).items() if name in (JSON, PROBLEM))
