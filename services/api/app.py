"""The Flask application."""

from functools import partial

from flask import Flask

from common.database import Database
from common.publisher import Publisher
from common.settings import Settings
from common.tally import tally
from services.api import pages, problems, protection
from services.api.blueprints import (
    health,
    home,
    image_bytes,
    images,
    items,
    monitoring,
    submissions,
    url_tasks,
)
from services.api.plotly_js import PlotlyJs
from services.api.queries.recent_tallies import RecentTallies
from services.api.resources import KEY, Resources

BLUEPRINTS = (home, health, image_bytes, images, monitoring, url_tasks, items, submissions)


def create_app(settings: Settings, database: Database, publisher: Publisher) -> Flask:
    """Make the application. Nothing is asked of the database or the broker yet."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = settings.api_max_body_bytes
    app.json.sort_keys = False  # type: ignore[attr-defined]
    recent_tallies = RecentTallies(partial(tally, database))
    app.extensions[KEY] = Resources(settings, database, publisher, PlotlyJs(), recent_tallies)
    protection.register(app)
    problems.register(app)
    pages.register(app)
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    return app
