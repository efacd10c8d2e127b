"""The account of an export: `manifest.jsonl`, one JSON object a line of the task, or an image of the query."""

import json
from collections.abc import Iterator
from typing import Any

from services.fetcher.export.directory import Directory
from services.fetcher.export.forms import Form
from services.fetcher.export.records import Place, entry
from services.fetcher.export.selection import Selection, Task
from services.fetcher.export.snapshot import Snapshot

MANIFEST = "manifest.jsonl"
NOWHERE = Place()


def write_manifest(directory: Directory, selection: Selection, snapshot: Snapshot, form: Form | None) -> None:
    """Write the manifest; it is written last, so that where it is everything that it names is."""
    with directory.replacing(MANIFEST) as file:
        for line in _entries(selection, snapshot, form):
            file.write(json.dumps(line).encode() + b"\n")


def _entries(selection: Selection, snapshot: Snapshot, form: Form | None) -> Iterator[dict[str, Any]]:
    if isinstance(selection, Task):
        for line, rank, image in snapshot.lines():
            place = NOWHERE if form is None or image is None or rank is None else form.place(image, rank)
            yield entry(line, image, place)
    else:
        for rank, image in snapshot.all_images():
            yield entry(None, image, form.place(image, rank) if form else NOWHERE)
