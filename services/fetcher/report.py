"""What the command line shows: progress bars, and the ledger of a task as a table or as JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from common.reasons import MEANINGS
from common.tally import Tally
from services.fetcher.run import Run


@contextmanager
def progress_bar(console: Console, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show a bar on the way to `total`; gives the function that is told how far it is."""
    columns = [
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task(what, total=total)
        yield lambda completed: progress.update(bar, completed=completed)


@contextmanager
def ledger_bar(console: Console, *, shown: bool) -> Iterator[Callable[[Tally], None]]:
    """Show how many items have their outcome, and which."""
    columns = [
        SpinnerColumn(),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("[green]{task.fields[success]:,} success[/] [cyan]{task.fields[duplicate]:,} duplicate[/]"),
        TextColumn("[red]{task.fields[error]:,} error[/]"),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal)) as progress:
        bar = progress.add_task("", total=None, success=0, duplicate=0, error=0)

        def show(state: Tally) -> None:
            progress.update(
                bar,
                total=state.total,
                completed=state.finished,
                success=state.success,
                duplicate=state.duplicate,
                error=state.error,
            )

        yield show


def table(state: Tally, run: Run) -> Table:
    """Lay a task's ledger out for people."""
    result = Table(show_header=False, box=None, pad_edge=False)
    result.add_column(justify="left")
    result.add_column(justify="right")
    result.add_column(style="dim")
    known = f"{state.known_by_url:,} known by their URL, not downloaded" if state.known_by_url else ""
    result.add_row("[green]success[/]", f"{state.success:,}", "stored now")
    result.add_row("[cyan]duplicate[/]", f"{state.duplicate:,}", known or "already stored")
    result.add_row("[red]error[/]", f"{state.error:,}")
    for failure in state.failures:
        status = f" {failure.status}" if failure.status else ""
        result.add_row(f"  {failure.reason}{status}", f"{failure.count:,}", MEANINGS[failure.reason])
    result.add_row("pending", f"{state.pending:,}")
    left_out = f"{run.skipped:,} blank or comment lines left out" if run.skipped else ""
    result.add_row("[bold]total[/]", f"[bold]{state.total:,}[/]", left_out)
    if run.seconds:
        result.add_row("time", f"{run.seconds:.1f} s", f"{state.total / run.seconds:,.0f} items per second")
    return result


def as_json(task_id: UUID, state: Tally, run: Run) -> dict[str, Any]:
    """Give a task's ledger for machines."""
    return {
        "task": str(task_id),
        "total": state.total,
        "success": state.success,
        "duplicate": state.duplicate,
        "duplicate_known_by_url": state.known_by_url,
        "error": state.error,
        "pending": state.pending,
        "skipped_lines": run.skipped,
        "errors": [
            {"reason": failure.reason.value, "status": failure.status, "count": failure.count}
            for failure in state.failures
        ],
        "seconds": run.seconds and round(run.seconds, 3),
    }
