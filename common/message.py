"""A message as the broker carries it: properties, headers and a body, with nothing yet understood."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

Headers = Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class Publication:
    """A message and where it goes. It must reach a queue: every publication is `mandatory`."""

    exchange: str
    routing_key: str
    message: Message
