"""What is to be exported: a task, or the stored images that meet some conditions."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from common.database import Document
from common.errors import Permanent
from common.fetching.target import read_target
from common.instants import write_instant
from services.fetcher.export.errors import CannotExport

LONGEST_HOST = 300
DIFFERENT_HOSTS = 4_096


@dataclass(frozen=True, slots=True)
class Task:
    """All lines of a task, and each image that they gave."""

    task_id: UUID

    def as_json(self) -> dict[str, Any]:
        """Give what tells this selection from every other."""
        return {"task": str(self.task_id)}

    def __str__(self) -> str:
        return f"task {self.task_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The images that meet every condition given. `hosts` are ASCII in lower case; `since` <= stored < `until`."""

    hosts: tuple[str, ...] = ()
    min_width: int | None = None
    max_width: int | None = None
    min_height: int | None = None
    max_height: int | None = None
    formats: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None

    def condition(self) -> Document:
        """Give all conditions but the host as a filter of the images collection."""
        bounds: dict[str, Document] = {
            "width": {"$gte": self.min_width, "$lte": self.max_width},
            "height": {"$gte": self.min_height, "$lte": self.max_height},
            "inserted_at": {"$gte": self.since, "$lt": self.until},
        }
        given = {
            name: {operator: value for operator, value in limits.items() if value is not None}
            for name, limits in bounds.items()
        }
        formats: Document = {"format": {"$in": list(self.formats)}} if self.formats else {}
        return {**{name: limits for name, limits in given.items() if limits}, **formats}

    def takes(self, url: str) -> bool:
        """Tell whether an image that was found under this URL is of the hosts wanted."""
        return not self.hosts or _host_of(urlsplit(url).netloc) in self.hosts

    def as_json(self) -> dict[str, Any]:
        """Give what tells this selection from every other: the conditions given."""
        values = {
            "hosts": list(self.hosts),
            "min_width": self.min_width,
            "max_width": self.max_width,
            "min_height": self.min_height,
            "max_height": self.max_height,
            "formats": list(self.formats),
            "since": self.since and write_instant(self.since),
            "until": self.until and write_instant(self.until),
        }
        return {"query": {name: value for name, value in values.items() if value not in (None, [])}}

    def __str__(self) -> str:
        return "a query" if self.as_json()["query"] else "all images"


Selection = Task | Query


def read_host(text: str) -> str:
    """Give a host as the fetcher asks it, whatever its case and script. Raises CannotExport."""
    try:
        target = read_target(f"http://{text}/", max_length=LONGEST_HOST)
    except Permanent as error:
        raise CannotExport(f"--host: {error.detail}") from error
    if target.authority != target.host or target.path != "/":
        raise CannotExport(f"--host: must be a host alone, not {text!r:.80}")
    return target.host


@lru_cache(DIFFERENT_HOSTS)
def _host_of(netloc: str) -> str | None:
    try:
        return read_target(f"http://{netloc}/", max_length=LONGEST_HOST).host
    except Permanent:
        return None
