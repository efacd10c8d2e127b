"""The fields of messages, read with a check and written: the headers that all have, and bodies of JSON."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from common.errors import MalformedMessage
from common.items import Item
from common.message import Headers, Message
from common.steps import read_steps, write_steps

VERSION = 1
MOST_NUMBER = 2**31 - 1
MOST_CHARACTERS = 16_384


def header(headers: Headers, name: str, kind: type[Any], check: Callable[[Any], bool] = lambda _value: True) -> Any:
    """Give a header of this very type that passes the check, or raise MalformedMessage."""
    value = headers.get(name)
    if type(value) is not kind or not check(value):
        raise MalformedMessage(f"header {name} is {value!r:.80}")
    return value


def storable(value: object, most: int) -> str:
    """Give a stranger's text as it can be stored: cut, and without the halves of characters that JSON lets through."""
    return str(value)[:most].encode("utf-8", "replace").decode()


def is_number(value: object, low: int, high: int) -> bool:
    """Tell whether this is a whole number within these bounds, both included."""
    return type(value) is int and low <= value <= high


def uuid_of(value: object, name: str) -> UUID:
    """Give the UUID that stands under this name, or raise MalformedMessage."""
    try:
        return UUID(str(value))
    except ValueError as error:
        raise MalformedMessage(f"{name} is no UUID: {value!r:.80}") from error


def item_headers(item: Item) -> dict[str, Any]:
    """Give the headers that every message about an item has."""
    return {
        "version": VERSION,
        "task_id": str(item.task_id),
        "item_id": str(item.item_id),
        "url": item.url,
        "round": item.round,
        "steps": write_steps(item.steps),
    }


def read_item(message: Message, taken_up_ms: int | None = None) -> Item:
    """Give the item a message is about, taken up now unless said; or raise MalformedMessage."""
    version = message.headers.get("version")
    if version != VERSION:
        raise MalformedMessage(f"version {version!r:.20} is not known, only {VERSION}")
    return named_item(message, taken_up_ms)


def named_item(message: Message, taken_up_ms: int | None = None) -> Item:
    """Give the item that a message of any version names, or raise MalformedMessage."""
    headers = message.headers
    return Item(
        task_id=uuid_of(headers.get("task_id"), "header task_id"),
        item_id=uuid_of(headers.get("item_id"), "header item_id"),
        url=header(headers, "url", str, lambda value: len(value) <= MOST_CHARACTERS),
        round=header(headers, "round", int, lambda value: is_number(value, 0, MOST_NUMBER)),
        steps=read_steps(headers.get("steps"), taken_up_ms),
    )


def read_json(message: Message) -> dict[str, Any]:
    """Give the body as the JSON object it is, or raise MalformedMessage."""
    try:
        value = json.loads(message.body)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedMessage("the body is no JSON object")
    return value


def write_json(value: dict[str, Any]) -> bytes:
    """Give the body that says this."""
    return json.dumps(value, separators=(",", ":")).encode()
