"""`/monitoring`: the histogram of what ended when and what stands beside it, as a page and as figures."""

import csv
import io
from typing import Annotated, Any

from flask import Response, make_response, render_template
from flask_openapi import APIBlueprint
from pydantic import AfterValidator, Field
from werkzeug.exceptions import NotFound

from common.fetching.paused_hosts import PausedHosts
from common.hosts import MOST_CHARACTERS
from common.instants import write_instant
from common.reasons import Reason
from services.api.answers import as_json
from services.api.describing import HTML, answer, problems
from services.api.figure import By, histogram, queue_lines, shade, stacked
from services.api.figure_table import rows
from services.api.instants import SpanQuery
from services.api.queries.failing import LATEST_ERRORS
from services.api.queries.scope import Scope
from services.api.queries.tasks import newest_names, task_exists
from services.api.queries.timeline import Timeline, timeline
from services.api.report import Report, report
from services.api.resources import database, now, resources
from services.api.schemas.monitoring import MonitoringAnswer
from services.api.tags import MONITORING, PAGES
from services.api.values import Absent, TaskId

LATEST_TASKS = 5
LENGTHS = {
    15: "15 minutes",
    60: "1 hour",
    180: "3 hours",
    720: "12 hours",
    1_440: "24 hours",
    4_320: "3 days",
    10_080: "7 days",
    43_200: "30 days",
}
CSV = "text/csv"

blueprint = APIBlueprint("monitoring", __name__)


class ScopeQuery(SpanQuery):
    """Which time, and whose items."""

    task: Annotated[TaskId | Absent, Field(description="Only the items of this task.")] = None
    host: Annotated[
        Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(lambda host: host.strip().lower() or None)]
        | Absent,
        Field(description="Only the items whose URLs name this host.", examples=["images.example.com"]),
    ] = None

    def scope(self) -> Scope:
        """Give whose items are meant. Raises NotFound."""
        if self.task is not None and not task_exists(database(), self.task):
            raise NotFound("There is no task with this id.")
        return Scope(self.task, self.host)


class HistogramQuery(ScopeQuery):
    """Which histogram."""

    by: Annotated[By, Field(description="What the bars are stacked by.")] = By.OUTCOME


@blueprint.get(
    "/monitoring",
    tags=[PAGES],
    operation_id="showMonitoring",
    responses={200: answer("The page.", HTML), **problems(404, 422, 429, 503)},
)
def page(query: HistogramQuery) -> Response:
    """Show the histogram and its figures as a table, throughput, latencies, queues, and what fails most."""
    found = _report(query)
    lines, line_shades = queue_lines(found.depths, found.timeline.span)
    return make_response(
        render_template(
            "monitoring.html",
            report=found,
            timeline=found.timeline,
            by=query.by,
            parts=_parts(found.timeline, query.by),
            figure=histogram(found.timeline, query.by),
            rows=rows(found.timeline),
            lines=lines,
            line_shades=line_shades,
            lengths=LENGTHS,
            latest_errors=LATEST_ERRORS,
            paused_hosts=PausedHosts(database()).count(now()),
            following=query.reaches_now,
            asked=asked(query),
            tasks=newest_names(database(), LATEST_TASKS),
            plotly_js=resources().plotly_js,
        )
    )


@blueprint.get(
    "/monitoring.json",
    tags=[MONITORING],
    operation_id="getHistogram",
    responses={200: answer("The figures.", MonitoringAnswer), **problems(404, 422, 429, 503)},
)
def figures(query: ScopeQuery) -> Response:
    """Give the histogram's figures, every bar of the span, and what stands beside it."""
    return as_json(MonitoringAnswer.of(_report(query)))


@blueprint.get(
    "/monitoring.csv",
    tags=[MONITORING],
    operation_id="getHistogramTable",
    responses={200: answer("The figures, a line a bar.", CSV), **problems(404, 422, 429, 503)},
)
def table(query: ScopeQuery) -> Response:
    """Give the histogram's figures as a table: a line for every bar of the span, a column for every end."""
    moment = now()
    found = timeline(database(), query.span(moment), query.scope(), moment)
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(["start", *found.outcomes, *Reason])
    nothing = [0] * found.span.bars
    columns = [*found.outcomes.values(), *(found.reasons.get(reason, nothing) for reason in Reason)]
    for start, *counts in zip(found.span.starts(), *columns, strict=True):
        writer.writerow([write_instant(start), *counts])
    response = Response(lines.getvalue(), mimetype=CSV)
    response.headers["Content-Disposition"] = 'attachment; filename="monitoring.csv"'
    return response


def asked(query: ScopeQuery, *left_out: str) -> dict[str, Any]:
    """Give what was asked for, as the arguments of a link to the same."""
    return query.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True, exclude=set(left_out))


def _report(query: ScopeQuery) -> Report:
    moment = now()
    return report(database(), query.span(moment), query.scope(), moment)


def _parts(counted: Timeline, by: By) -> list[tuple[str, int, str]]:
    """Give the bars' parts, the sum of each and the name of its colour."""
    named = stacked(counted, by)
    return [(name, sum(counts), shade(by, name, index)) for index, (name, counts) in enumerate(named.items())]
