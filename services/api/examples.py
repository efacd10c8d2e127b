"""Examples, composed out of those that the single fields of the document bring."""

from typing import Any

from services.api.describing import SCHEMAS

Json = dict[str, Any]


def example_of(schema: Json, schemas: Json) -> Any:
    """Give a value that the schema describes: each field's own example, or its default."""
    for name in ("examples", "enum"):
        if name in schema:
            return schema[name][0]
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].removeprefix(SCHEMAS)], schemas)
    match schema:
        case {"default": value} | {"const": value}:
            return value
        case {"anyOf": [first, *_]}:
            return example_of(first, schemas)
        case {"type": "object"}:
            return {name: example_of(each, schemas) for name, each in schema.get("properties", {}).items()}
        case {"type": "array", "items": items}:
            return [example_of(items, schemas)]
    raise LookupError(f"no example of {schema}")
