"""`/testmonitoring`: the chart alone, as a file to keep or mail; and plotly.js for the page."""

from functools import cache
from importlib import resources as packaged
from typing import Annotated, ClassVar

from flask import Response, make_response, render_template, request
from flask_openapi import APIBlueprint
from plotly.offline import get_plotlyjs_version
from pydantic import Field
from werkzeug.exceptions import NotFound

from services.api.answers import IMMUTABLE
from services.api.blueprints.monitoring import HistogramQuery
from services.api.describing import HTML, UNCHANGED, answer, problems
from services.api.figure import histogram
from services.api.inputs import Path
from services.api.plotly_js import source_digest
from services.api.queries.timeline import timeline
from services.api.resources import database, now, resources
from services.api.tags import PAGES

blueprint = APIBlueprint("monitoring_chart", __name__, abp_tags=[PAGES])


class ScriptPath(Path):
    """Which version of plotly.js."""

    missing: ClassVar[str] = "This is no version of plotly.js."

    version: Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){2}$", examples=[get_plotlyjs_version()])]


@blueprint.get(
    "/testmonitoring",
    operation_id="getChart",
    responses={200: answer("The file.", HTML), **problems(404, 422, 429, 503)},
)
def chart(query: HistogramQuery) -> Response:
    """Give the histogram alone, in one HTML file that needs nothing else."""
    moment = now()
    found = timeline(database(), query.span(moment), query.scope(), moment)
    plotly_js = resources().plotly_js
    style, drawing = _static("graymill.css"), _static("monitoring_chart.js")
    policy = (
        f"default-src 'none'; style-src '{source_digest(style.encode())}'; img-src data:; base-uri 'none'; "
        f"form-action 'none'; script-src '{plotly_js.digest}' '{source_digest(drawing.encode())}'"
    )
    response = make_response(
        render_template(
            "monitoring_chart.html",
            timeline=found,
            scope=query.scope(),
            moment=moment,
            figure=histogram(found, query.by, legend=True),
            plotly_js=plotly_js,
            drawing=drawing,
            style=style,
            policy=policy,
        )
    )
    # Saved, the file keeps the policy in itself; a header can say one thing more.
    response.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
    response.headers["Content-Disposition"] = 'inline; filename="monitoring.html"'
    return response


@blueprint.get(
    "/plotly/<version>/plotly.min.js",
    operation_id="getPlotly",
    responses={
        200: answer("The script; it never changes.", "text/javascript", headers=("ETag",)),
        304: UNCHANGED,
        **problems(404),
    },
)
def script(path: ScriptPath) -> Response:
    """Give plotly.js."""
    plotly_js = resources().plotly_js
    if path.version != plotly_js.version:
        raise NotFound(f"plotly.js is served in version {plotly_js.version} only.")
    gzipped = request.accept_encodings["gzip"] > 0
    response = Response(plotly_js.gzipped if gzipped else plotly_js.script, mimetype="text/javascript")
    response.headers["Cache-Control"] = IMMUTABLE
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{path.version}-gzip" if gzipped else path.version)
    if gzipped:
        response.headers["Content-Encoding"] = "gzip"
    response.make_conditional(request)
    return response


@cache
def _static(name: str) -> str:
    """Read one of our own files."""
    return packaged.files("services.api").joinpath("static", name).read_text(encoding="utf-8")
