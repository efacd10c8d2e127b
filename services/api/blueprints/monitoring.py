"""`/monitoring`: the histogram of what ended in each minute, as a page and as figures."""

from uuid import UUID

from flask import Blueprint, Response, jsonify, make_response, render_template, request
from werkzeug.exceptions import NotFound

from common.instants import write_instant
from services.api.answers import IMMUTABLE
from services.api.figure import histogram
from services.api.inputs import InvalidInput, parse_uuid, shown
from services.api.instants import read_span
from services.api.protection import content_security_policy
from services.api.queries.tasks import newest_names, task_exists
from services.api.queries.timeline import Counts, timeline
from services.api.resources import database, now, resources

LATEST_TASKS = 5
LENGTHS = {15: "15 minutes", 60: "1 hour", 180: "3 hours", 720: "12 hours", 1440: "24 hours"}
POLICY = content_security_policy(style_src="'self' 'unsafe-inline'")
"""plotly.js puts a style element of its own into the page; scripts stay our own files."""

blueprint = Blueprint("monitoring", __name__)


@blueprint.get("/monitoring")
def page() -> Response:
    """Show the histogram, its figures as a table, and the way to the tasks."""
    task_id = _task_id()
    shown_timeline = timeline(database(), read_span(request.args, now()), task_id)
    response = make_response(
        render_template(
            "monitoring.html",
            timeline=shown_timeline,
            figure=histogram(shown_timeline),
            lengths=LENGTHS,
            following=not (request.args.get("from") or request.args.get("to")),
            task_id=task_id,
            tasks=newest_names(database(), LATEST_TASKS),
            plotly_js=resources().plotly_js.version,
        )
    )
    response.headers["Content-Security-Policy"] = POLICY
    return response


@blueprint.get("/monitoring.json")
def figures() -> Response:
    """Give the histogram's figures, every minute of the span."""
    found = timeline(database(), read_span(request.args, now()), _task_id())
    return jsonify(
        {
            "from": write_instant(found.span.start),
            "to": write_instant(found.span.end),
            "bin_seconds": 60,
            "minutes": [{"minute": write_instant(each.start), **_counts(each.counts)} for each in found.minutes],
            "totals": _counts(found.totals),
        }
    )


@blueprint.get("/plotly/<version>/plotly.min.js")
def script(version: str) -> Response:
    """Give plotly.js."""
    plotly_js = resources().plotly_js
    if version != plotly_js.version:
        raise NotFound(f"plotly.js is served in version {plotly_js.version} only.")
    gzipped = request.accept_encodings["gzip"] > 0
    response = Response(plotly_js.gzipped if gzipped else plotly_js.script, mimetype="text/javascript")
    response.headers["Cache-Control"] = IMMUTABLE
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{version}-gzip" if gzipped else version)
    if gzipped:
        response.headers["Content-Encoding"] = "gzip"
    response.make_conditional(request)
    return response


def _task_id() -> UUID | None:
    text = request.args.get("task", "")
    if not text:
        return None
    task_id = parse_uuid(text)
    if task_id is None:
        raise InvalidInput(f"task must be a task's id, not {shown(text)}.")
    if not task_exists(database(), task_id):
        raise NotFound("There is no task with this id.")
    return task_id


def _counts(counts: Counts) -> dict[str, int]:
    return {"success": counts.success, "duplicate": counts.duplicate, "error": counts.error}
