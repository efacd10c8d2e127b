"""The home page: what this is, how to hand something in, what runs, how everything is."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, make_response, render_template
from flask_openapi import APIBlueprint

from common.errors import Unavailable
from services.api.answers import wants_html
from services.api.describing import HTML, answer, problems
from services.api.problems import RETRY_AFTER_SECONDS
from services.api.queries.tasks import Task, Totals, newest_tasks, totals
from services.api.resources import database, resources
from services.api.stages import Health, current_health
from services.api.tags import PAGES

LATEST_TASKS = 8
blueprint = APIBlueprint("home", __name__, abp_tags=[PAGES])


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was not taken; `form` is its endpoint, `typed` what was in it."""

    form: str
    sentence: str
    typed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class State:
    """What the page shows of the tasks, those under way first. Without a database, of neither."""

    health: Health
    tasks: tuple[Task, ...] = ()
    totals: Totals | None = None


@blueprint.get("/", operation_id="showHome", responses={200: answer("The page.", HTML), **problems(503)})
def home() -> Response:
    """Show the page."""
    return show_home()


def show_home(status: int = 200, refusal: Refusal | None = None) -> Response:
    """Answer with the page, which says so when the database is away; for programs Unavailable is raised."""
    try:
        state = _state()
    except Unavailable:
        if not wants_html(None):
            raise
        status, state = 503, State(current_health(database=False))
    page = render_template(
        "home.html",
        state=state,
        refusal=refusal,
        samples=resources().samples is not None,
        most_urls=resources().settings.api_max_urls,
    )
    response = make_response(page, status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _state() -> State:
    found = newest_tasks(database(), resources().recent_tallies, LATEST_TASKS).entries
    counted = totals(database())
    running_first = tuple(sorted(found, key=lambda task: task.finished_at is not None))
    return State(current_health(database=True), running_first, counted)
