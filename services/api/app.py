"""The Flask application."""

import threading
from functools import partial

from flask_openapi import OpenAPI

from common.database import Database
from common.publisher import Publisher
from common.settings import Settings
from common.tally import tally
from services.api import document, metrics, pages, problems, protection
from services.api.asked_hosts import AskedHosts
from services.api.blueprints import (
    dead,
    documentation,
    downloads,
    forms,
    gallery,
    health,
    home,
    hosts,
    image_bytes,
    images,
    images_tasks,
    items,
    monitoring,
    monitoring_chart,
    monitoring_items,
    page_images,
    prometheus,
    retry,
    signing_in,
    similar,
    statistics,
    submissions,
    text_tasks,
    url_tasks,
)
from services.api.declared import Declared
from services.api.describing import Problem
from services.api.keys import Keys
from services.api.plotly_js import PlotlyJs
from services.api.queries.recent_tallies import RecentTallies
from services.api.rate_limit import RateLimit
from services.api.recent_figures import RecentFigures
from services.api.recent_states import RecentStates
from services.api.resources import KEY, Resources, now
from services.api.samples import read_samples

BLUEPRINTS = (
    url_tasks,
    submissions,
    items,
    retry,
    downloads,
    images_tasks,
    page_images,
    text_tasks,
    gallery,
    image_bytes,
    images,
    similar,
    statistics,
    monitoring,
    monitoring_chart,
    monitoring_items,
    dead,
    hosts,
    health,
    prometheus,
    home,
    forms,
    signing_in,
    documentation,
)


def create_app(settings: Settings, database: Database, publisher: Publisher) -> OpenAPI:
    """Make the application. Nothing is asked of the database or the broker yet."""
    app = OpenAPI(
        __name__,
        info=document.INFO,
        servers=[{"url": "/"}],
        doc_ui=False,
        validation_error_callback=problems.refuse,
        validation_error_model=Problem,
    )
    app.openapi_version = document.VERSION
    app.config["MAX_CONTENT_LENGTH"] = settings.api_max_body_bytes
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.api_max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    metrics.register(app)
    protection.register(app, settings)
    problems.register(app)
    pages.register(app)
    for module in BLUEPRINTS:
        document.register(app, module.blueprint)
    app.extensions[KEY] = Resources(
        settings,
        database,
        publisher,
        plotly_js=PlotlyJs(),
        recent_tallies=RecentTallies(partial(tally, database)),
        recent_states=RecentStates(publisher),
        recent_figures=RecentFigures(database, now=now),
        samples=read_samples(settings),
        archives=threading.BoundedSemaphore(max(1, settings.api_threads // 2)),
        hosts=AskedHosts.of(settings),
        keys=Keys(settings.api_keys),
        declared=Declared.by(app),
        write_limit=RateLimit(settings.api_requests_per_minute),
        read_limit=RateLimit(settings.api_requests_per_minute),
    )
    return app
