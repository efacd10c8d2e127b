"""What an export shows: a bar while it runs, and how it ended as a line or as JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from services.fetcher.export.run import Bar, Result
from services.fetcher.export.selection import Task

MEBIBYTE = 1024 * 1024


def bars_on(console: Console) -> Bar:
    """Give the bars of a terminal; where the console is none, nothing is written at all."""

    @contextmanager
    def bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        columns = [
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        ]
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task(what, total=total)
            yield lambda done: progress.update(task, completed=done if total is None else min(done, total))

    return bar


def as_json(result: Result) -> dict[str, Any]:
    """Give the result for machines."""
    state = result.state
    return {
        "out": str(result.path),
        **{name: value for name, value in result.plan.as_json().items() if name != "export"},
        "images": state.images,
        "images_written_now": result.written,
        "near_duplicates_left_out": state.left_out,
        "length_bytes": state.length_bytes,
        "shards": [shard.file for shard in state.shards if shard.file is not None],
        "outcomes": state.outcomes,
        "manifest": str(result.path / "manifest.jsonl"),
    }


def as_text(result: Result) -> str:
    """Give the result for people."""
    plan, state = result.plan, result.state
    files = sum(shard.file is not None for shard in state.shards)
    size = f", {state.length_bytes / MEBIBYTE:,.1f} MiB" if plan.variant else ""
    text = f"{plan} in {result.path}: {state.images:,} images{size}{f' in {files:,} files' if files else ''}"
    if isinstance(plan.selection, Task):
        text += f"; {sum(state.outcomes.values()):,} lines in manifest.jsonl"
        pending = state.outcomes.get("pending", 0)
        text += f", {pending:,} of them pending when it began" if pending else ""
    if plan.one_per_group is not None:
        text += f"; {state.left_out:,} near-duplicates left out"
    if plan.variant and result.written < state.images:
        text += f"; {state.images - result.written:,} images were there already"
    return text
