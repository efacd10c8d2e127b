"""What the routes work with, made once in `__main__` and carried by the application."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from flask import current_app

from common.database import Database
from common.publisher import Publisher
from common.settings import Settings
from services.api.asked_hosts import AskedHosts
from services.api.declared import Declared
from services.api.keys import Keys
from services.api.plotly_js import PlotlyJs
from services.api.queries.recent_tallies import RecentTallies
from services.api.rate_limit import RateLimit
from services.api.recent_figures import RecentFigures
from services.api.recent_states import RecentStates

KEY = "graymill"


@dataclass(frozen=True)
class Resources:
    """The publisher is for what a person submits; `samples` is a list to try.

    `archives` bounds how many are sent at once: each keeps a thread for as long as its client takes to read it.
    """

    settings: Settings
    database: Database
    publisher: Publisher
    plotly_js: PlotlyJs
    recent_tallies: RecentTallies
    recent_states: RecentStates
    recent_figures: RecentFigures
    samples: str | None
    archives: threading.BoundedSemaphore
    hosts: AskedHosts
    keys: Keys
    declared: Declared
    write_limit: RateLimit
    read_limit: RateLimit


def resources() -> Resources:
    """Give those of the application that answers the current request."""
    return cast(Resources, current_app.extensions[KEY])


def database() -> Database:
    """Give the database to read from."""
    return resources().database


def now() -> datetime:
    """Give the time, in UTC."""
    return datetime.now(UTC)
