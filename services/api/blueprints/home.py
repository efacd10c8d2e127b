"""The home page: what this is, how much there is, what was handed in last."""

from flask import Blueprint, render_template

from services.api.queries.tasks import newest_tasks, totals
from services.api.resources import database, resources

LATEST_TASKS = 8
blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def home() -> str:
    """Show the page."""
    return render_template(
        "home.html",
        totals=totals(database()),
        tasks=newest_tasks(database(), resources().recent_tallies, LATEST_TASKS).entries,
    )
