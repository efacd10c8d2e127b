"""`/stats`: figures about an image's gray version, from its stored histogram."""

from enum import StrEnum
from typing import Annotated, ClassVar

from flask import Response, make_response, redirect, render_template, request, url_for
from flask_openapi import APIBlueprint
from pydantic import Field
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from common.file_names import MOST_CHARACTERS, file_name
from services.api.answers import IMMUTABLE, as_json, negotiated
from services.api.describing import HTML, JSON, TEXT, UNCHANGED, answer, problems
from services.api.inputs import Path, Query, shown
from services.api.queries.statistics import Found, find_histogram
from services.api.resources import database
from services.api.schemas.statistics import FunctionsAnswer, MeasuredImage, StatisticAnswer, StatisticsAnswer
from services.api.statistics import FUNCTIONS, MEANINGS, Function, read_function, summary
from services.api.tags import IMAGES
from services.api.values import EXAMPLE_MD5, Absent, OptionalFormat


class StatisticFormat(StrEnum):
    """The forms that a statistic can have."""

    JSON = "json"
    HTML = "html"
    TEXT = "text"


UNKNOWN_IMAGE = "No image with this MD5, or with this file name in its URL, is stored."
UNKNOWN_FUNCTION = f"There is no function {{}}; there are {', '.join(FUNCTIONS)}, and p0 to p100, such as p99.9."
HEADERS = ("ETag", "Content-Location", "X-Other-Images")
FORMATS = {JSON: StatisticFormat.JSON, HTML: StatisticFormat.HTML, TEXT: StatisticFormat.TEXT}
blueprint = APIBlueprint("statistics", __name__, abp_tags=[IMAGES])

Image = Annotated[
    str,
    Field(
        max_length=MOST_CHARACTERS,
        description="An MD5, or the file name as it stands in the image's URL; of several, it means the latest.",
        examples=[EXAMPLE_MD5],
    ),
]
FunctionName = Annotated[
    str, Field(description="min, max, mean, median, std, or p0 to p100, such as p99.9.", examples=["p99.9"])
]


class StatisticsPath(Path):
    """Which image."""

    missing: ClassVar[str] = UNKNOWN_IMAGE

    image: Image


class StatisticPath(StatisticsPath):
    """Which image and which function."""

    function: FunctionName


class StatisticQuery(Query):
    """In which form."""

    format: Annotated[
        StatisticFormat | Absent, Field(description="The form of the answer, whatever `Accept` prefers.")
    ] = None


class ChoiceQuery(Query):
    """What a person has chosen."""

    image: Annotated[str | Absent, Field(max_length=2_048, description="An MD5, a file name or a URL.")] = None
    function: Annotated[str | Absent, Field(max_length=100, description="All of them, if none is named.")] = None
    format: OptionalFormat = None


@blueprint.get(
    "/stats",
    operation_id="chooseStatistic",
    responses={
        200: answer("The functions that there are.", FunctionsAnswer, HTML),
        302: answer("Where the chosen statistic is.", headers=("Location",)),
        **problems(404, 422),
    },
)
def choose(query: ChoiceQuery) -> AnyResponse:
    """Tell what can be asked for, or lead to what was chosen."""
    if query.image is None:
        functions = FunctionsAnswer(functions=dict(MEANINGS))
        return negotiated(functions, "statistics.html", query.format, answer=None, meanings=MEANINGS)
    image = file_name(query.image) or query.image
    if "/" in image:
        raise NotFound(UNKNOWN_IMAGE)
    if query.function is None:
        return redirect(url_for(".every", image=image))
    _function(query.function)
    return redirect(url_for(".one", image=image, function=query.function))


@blueprint.get(
    "/stats/<image>",
    operation_id="getStatistics",
    responses={
        200: answer("The usual statistics.", StatisticsAnswer, HTML, TEXT, headers=HEADERS),
        304: UNCHANGED,
        **problems(404, 422, 503),
    },
)
def every(path: StatisticsPath, query: StatisticQuery) -> Response:
    """Give all the usual statistics of an image, without a look at its pixels."""
    found = _find(path.image)
    lines = "".join(f"{name} {value}\n" for name, value in summary(found.counts).items())
    return _answer(path, query, found, StatisticsAnswer.of(found), lines)


@blueprint.get(
    "/stats/<image>/<function>",
    operation_id="getStatistic",
    responses={
        200: answer("The statistic; as text, the number alone.", StatisticAnswer, HTML, TEXT, headers=HEADERS),
        304: UNCHANGED,
        **problems(404, 422, 503),
    },
)
def one(path: StatisticPath, query: StatisticQuery) -> Response:
    """Give one statistic of an image, exactly, without a look at its pixels."""
    function = _function(path.function)
    found = _find(path.image)
    value = function(found.counts)
    return _answer(path, query, found, StatisticAnswer.of(found, path.function, value), f"{value}\n")


def _function(name: str) -> Function:
    function = read_function(name)
    if function is None:
        raise NotFound(UNKNOWN_FUNCTION.format(shown(name)))
    return function


def _find(image: str) -> Found:
    found = find_histogram(database(), image)
    if found is None:
        raise NotFound(UNKNOWN_IMAGE)
    return found


def _answer(path: StatisticsPath, query: StatisticQuery, found: Found, value: MeasuredImage, text: str) -> Response:
    """Answer in the form that is wanted. What is asked for by an MD5 never changes, but for the page around it."""
    chosen = query.format or FORMATS[str(request.accept_mimetypes.best_match(FORMATS, default=JSON))]
    match chosen:
        case StatisticFormat.HTML:
            name = found.md5 if found.others is None else path.image
            context = {"name": name, "found": found, "answer": value, "statistics": summary(found.counts)}
            response = make_response(render_template("statistics.html", meanings=MEANINGS, **context))
        case StatisticFormat.TEXT:
            response = Response(text, mimetype=TEXT)
        case StatisticFormat.JSON:
            response = as_json(value)
    response.vary.add("Accept")
    if found.others is not None:
        response.headers["Content-Location"] = value.links.self
        response.headers["X-Other-Images"] = f"{len(found.others.md5s)}{'+' if found.others.more else ''}"
    elif chosen is not StatisticFormat.HTML:
        response.headers["Cache-Control"] = IMMUTABLE
        response.set_etag(f"{value.links.self}-{chosen}")
        response.make_conditional(request)
    return response
