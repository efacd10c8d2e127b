"""A message as the broker carries it: properties, headers and a body, with nothing yet understood."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

Headers = Mapping[str, Any]

MAX_BODY_BYTES = 16 * 1024 * 1024
"""RabbitMQ's default `max_message_size` since 4.0: a larger body would close the whole channel."""


@dataclass(frozen=True, slots=True)
class Message:
    """`type` is the fact's name (`image.fetched`) and its routing key on the main exchange."""

    type: str
    message_id: str
    content_type: str
    headers: Headers
    body: bytes

    def with_headers(self, **headers: Any) -> "Message":
        """Give the same message with these headers set."""
        return replace(self, headers={**self.headers, **headers})


def encodable(value: object) -> Any:
    """Give a header's value as pika can write it.

    It reads more types than it writes, and a stranger's headers are written again when his message is buried.
    """
    if isinstance(value, dict):
        return {str(name)[:120]: encodable(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [encodable(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if -(2**63) <= value < 2**63 else str(value)
    return value if value is None or isinstance(value, str | bytes | bool | datetime) else str(value)


@dataclass(frozen=True, slots=True)
class Publication:
    """A message and where it goes. It must reach a queue: every publication is `mandatory`."""

    exchange: str
    routing_key: str
    message: Message

    def __post_init__(self) -> None:
        if len(self.message.body) > MAX_BODY_BYTES:
            raise ValueError(f"a body of {len(self.message.body):,} bytes is more than the broker takes")
