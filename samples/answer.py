"""What a route decided in; the head of an HTTP/1.1 answer out."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Literal

from samples.delivery import Delivery, at_once

Header = tuple[str, str]
TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """One answer: what it says, and how it is delivered."""

    status: HTTPStatus = HTTPStatus.OK
    content_type: str | None = None
    body: bytes = b""
    headers: tuple[Header, ...] = ()
    # What the head promises: the body's own length, another one (a lie), or chunks.
    promised_bytes: int | Literal["chunked"] | None = None
    delivery: Delivery = at_once

    def head(self, connection: Literal["keep-alive", "close"]) -> bytes:
        """The status line and the headers, ended by the empty line."""
        lines = [f"HTTP/1.1 {self.status.value} {self.status.phrase}"]
        lines += [f"{name}: {value}" for name, value in self._headers()]
        lines += [f"Date: {formatdate(usegmt=True)}", f"Connection: {connection}", "", ""]
        return "\r\n".join(lines).encode("latin-1")

    def _headers(self) -> list[Header]:
        headers = list(self.headers)
        if self.content_type is not None:
            headers.append(("Content-Type", self.content_type))
        if self.promised_bytes == "chunked":
            headers.append(("Transfer-Encoding", "chunked"))
        elif self.status is not HTTPStatus.NO_CONTENT:  # which may not have one (RFC 9110, 8.6)
            promised = len(self.body) if self.promised_bytes is None else self.promised_bytes
            headers.append(("Content-Length", str(promised)))
        return headers


class RefusalError(Exception):
    """Raised where an input is looked up; carries the answer that the client gets."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.answer = text(sentence, status)


def text(sentence: str, status: HTTPStatus = HTTPStatus.OK, *headers: Header) -> Answer:
    """A line of plain text."""
    return Answer(status, TEXT, sentence.encode(), headers)


def html(document: str) -> Answer:
    """A page."""
    return Answer(HTTPStatus.OK, "text/html; charset=utf-8", document.encode())


def redirect(location: str) -> Answer:
    """A 302; `location` goes out as UTF-8 bytes, as sites with international paths really send it."""
    return text("elsewhere", HTTPStatus.FOUND, ("Location", location.encode("utf-8", "replace").decode("latin-1")))
