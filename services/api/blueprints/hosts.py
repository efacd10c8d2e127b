"""`/hosts`: the hosts that are left alone for a while, and why; a pause can be ended before its time."""

from typing import ClassVar

from flask import Response, url_for
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound

from common.fetching.paused_hosts import PausedHosts
from services.api.answers import as_json, linked, negotiated, next_url, see_other, wants_html
from services.api.cursors import HostCursor, write_position
from services.api.describing import HTML, answer, problems
from services.api.inputs import Path, Query
from services.api.queries.newest import Position, after, cut
from services.api.resources import database, now
from services.api.schemas.hosts import HostsAnswer, PausedHostAnswer, ResumedAnswer
from services.api.tags import MONITORING
from services.api.values import Absent, HostName, Limit, OptionalFormat

UNKNOWN = "This host is not left alone, and was not a moment ago."
blueprint = APIBlueprint("hosts", __name__, abp_tags=[MONITORING])


class HostPath(Path):
    """Which host."""

    missing: ClassVar[str] = UNKNOWN

    host: HostName


class HostsQuery(Query):
    """Which page of the hosts."""

    limit: Limit = 50
    cursor: HostCursor | Absent = None
    format: OptionalFormat = None


@blueprint.get(
    "/hosts",
    operation_id="listPausedHosts",
    responses={
        200: answer("Hosts that are paused or failing.", HostsAnswer, HTML, headers=("Link",)),
        **problems(422, 503),
    },
)
def latest(query: HostsQuery) -> Response:
    """List the hosts that are left alone, until when and why; and those that were, and have not answered since."""
    moment = now()
    hosts = PausedHosts(database())
    found = hosts.latest(moment, query.limit + 1, after(query.cursor, "until"))
    page = cut(((host, Position(host.until, host.host)) for host in found), query.limit)
    following = next_url(query, write_position(page.next))
    paused = hosts.count(moment)
    value = HostsAnswer(
        paused=paused, hosts=[PausedHostAnswer.of(host, moment) for host in page.entries], next=following
    )
    shown = negotiated(
        value, "hosts.html", query.format, paused=paused, hosts=page.entries, now=moment, following=following
    )
    return linked(shown, following)


@blueprint.post(
    "/hosts/<host>/resume",
    operation_id="resumeHost",
    responses={
        200: answer("It is asked again.", ResumedAnswer),
        303: answer("To the list, for who sent a form.", headers=("Location",)),
        **problems(404, 503),
    },
)
def resume(path: HostPath) -> Response:
    """End a host's pause: all fetchers ask it again within a second. Items that wait for it come when they were to."""
    if not PausedHosts(database()).resume(path.host, now()):
        raise NotFound(UNKNOWN)
    return see_other(url_for("hosts.latest")) if wants_html(None) else as_json(ResumedAnswer(host=path.host))
