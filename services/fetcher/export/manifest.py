"""The account of an export: `manifest.jsonl`, one JSON object a line of the task, or an image of the query."""

import json
from collections.abc import Iterator
from typing import Any

from common.manifest import Line, Place, entry
from services.fetcher.export.directory import Directory
from services.fetcher.export.forms import Form
from services.fetcher.export.selection import Selection, Task
from services.fetcher.export.snapshot import Chosen, Snapshot

MANIFEST = "manifest.jsonl"
NOWHERE = Place()


def write_manifest(directory: Directory, selection: Selection, snapshot: Snapshot, form: Form | None) -> None:
    """Write the manifest; it is written last, so that where it is everything that it names is."""
    with directory.replacing(MANIFEST) as file:
        for line in _entries(selection, snapshot, form):
            file.write(json.dumps(line).encode() + b"\n")


def _entries(selection: Selection, snapshot: Snapshot, form: Form | None) -> Iterator[dict[str, Any]]:
    if isinstance(selection, Task):
        for line, chosen in snapshot.lines():
            yield _entry(line, chosen, form)
    else:
        for chosen in snapshot.all_images():
            yield _entry(None, chosen, form)


def _entry(line: Line | None, chosen: Chosen | None, form: Form | None) -> dict[str, Any]:
    if chosen is None:
        return entry(line, None, NOWHERE)
    place = NOWHERE if form is None or chosen.rank is None else form.place(chosen.image, chosen.rank)
    return entry(line, chosen.image, place, chosen.near_duplicate_of)
