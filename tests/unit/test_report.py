"""A task's ledger as it is shown to people and to machines."""

import io
import json
from uuid import UUID

from rich.console import Console

from common.reasons import MEANINGS, Reason
from common.tally import Failures, Tally
from services.fetcher.following import Run
from services.fetcher.report import as_json, ledger_bar, progress_bar, table

TASK = UUID("00000000-0000-4000-8000-000000000001")
STATE = Tally(
    success=1_500,
    duplicate=40,
    error=12,
    pending=3,
    known_by_url=30,
    failures=(Failures(Reason.HTTP_4XX, 404, 10), Failures(Reason.DNS, None, 2)),
)


def shown(state: Tally, run: Run) -> list[list[str]]:
    """Give the table's rows, each as its words."""
    text = io.StringIO()
    Console(file=text, width=160).print(table(state, run))
    return [line.split() for line in text.getvalue().splitlines()]


def test_the_table_has_every_count_and_every_reason_with_its_meaning() -> None:
    rows = shown(STATE, Run(seconds=10.0, skipped=2))
    assert rows[0][:2] == ["success", "1,500"]
    assert rows[1][:3] == ["duplicate", "40", "30"]
    assert rows[2] == ["error", "12"]
    assert rows[3] == ["http_4xx", "404", "10", *MEANINGS[Reason.HTTP_4XX].split()]
    assert rows[4] == ["dns", "2", *MEANINGS[Reason.DNS].split()]
    assert rows[5] == ["pending", "3"]
    assert rows[6][:3] == ["total", "1,555", "2"]
    assert rows[7] == ["time", "10.0", "s", "156", "items", "per", "second"]


def test_a_task_without_errors_has_a_table_without_reasons() -> None:
    rows = shown(Tally(success=1), Run())
    assert [row[0] for row in rows] == ["success", "duplicate", "error", "pending", "total"]


def test_machines_get_the_same_counts_as_json() -> None:
    run = Run(seconds=1.23456, skipped=2)
    assert json.loads(json.dumps(as_json(TASK, STATE, run))) == {
        "task": str(TASK),
        "total": 1_555,
        "success": 1_500,
        "duplicate": 40,
        "duplicate_known_by_url": 30,
        "error": 12,
        "pending": 3,
        "skipped_lines": 2,
        "errors": [
            {"reason": "http_4xx", "status": 404, "count": 10},
            {"reason": "dns", "status": None, "count": 2},
        ],
        "seconds": 1.235,
    }


def test_a_run_that_did_not_wait_has_no_time() -> None:
    assert as_json(TASK, Tally(), Run())["seconds"] is None


def test_bars_write_nothing_where_nobody_looks() -> None:
    text = io.StringIO()
    console = Console(file=text)
    with progress_bar(console, "publishing", 10) as advance, ledger_bar(console, shown=False) as show:
        advance(5)
        show(STATE)
    assert text.getvalue().strip() == ""
