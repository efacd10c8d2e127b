"""`/dead`: the messages that no worker could handle; they are looked at, put back into their queues, or thrown out."""

import time
from collections.abc import Iterable
from typing import ClassVar
from uuid import UUID

from flask import Response, url_for
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound

from common.dead_letters import DeadLetters
from common.replaying import Replayed, obstacle, replay
from services.api.answers import as_json, linked, negotiated, next_url, see_other, wants_html
from services.api.cursors import LetterCursor, write_position
from services.api.describing import HTML, answer, problems
from services.api.inputs import InvalidInput, Path, Query
from services.api.queries.newest import Position, after, cut
from services.api.resources import database, resources
from services.api.schemas.dead import DeadLetterAnswer, DeadLettersAnswer, PurgeAnswer, ReplayAnswer
from services.api.submitting import check_broker
from services.api.tags import MONITORING
from services.api.values import Absent, LetterId, Limit, OptionalFormat

REPLAY_SECONDS = 8.0
UNKNOWN = "There is no dead letter with this id; it may have been put back, or made room for newer ones."
TO_THE_PAGE = answer("To the list, for who sent a form.", headers=("Location",))
blueprint = APIBlueprint("dead", __name__, abp_tags=[MONITORING])


class LetterPath(Path):
    """Which letter."""

    missing: ClassVar[str] = UNKNOWN

    letter_id: LetterId


class LettersQuery(Query):
    """Which page of the letters."""

    limit: Limit = 50
    cursor: LetterCursor | Absent = None
    format: OptionalFormat = None


class LetterQuery(Query):
    """In which form."""

    format: OptionalFormat = None


@blueprint.get(
    "/dead",
    operation_id="listDeadLetters",
    responses={
        200: answer("Dead letters, newest first.", DeadLettersAnswer, HTML, headers=("Link",)),
        **problems(422, 503),
    },
)
def newest(query: LettersQuery) -> Response:
    """List dead letters, the newest first. The newest 10,000 are kept, up to a gigabyte of them."""
    letters = DeadLetters(database())
    found = letters.newest(query.limit + 1, after(query.cursor, "at"))
    page = cut(((letter, Position(letter.at, letter.letter_id)) for letter in found), query.limit)
    following = next_url(query, write_position(page.next))
    count = letters.count()
    value = DeadLettersAnswer(
        count=count, letters=[DeadLetterAnswer.of(letter) for letter in page.entries], next=following
    )
    shown = negotiated(value, "dead.html", query.format, count=count, letters=page.entries, following=following)
    return linked(shown, following)


@blueprint.get(
    "/dead/<uuid:letter_id>",
    operation_id="getDeadLetter",
    responses={200: answer("The letter.", DeadLetterAnswer, HTML), **problems(404, 422, 503)},
)
def letter(path: LetterPath, query: LetterQuery) -> Response:
    """Give a dead letter with all its headers; its body only `fetcher dead show` gives."""
    found = DeadLetters(database()).find(path.letter_id)
    if found is None:
        raise NotFound(UNKNOWN)
    return negotiated(
        DeadLetterAnswer.of(found), "dead_letter.html", query.format, letter=found, obstacle=obstacle(found)
    )


@blueprint.post(
    "/dead/<uuid:letter_id>/replay",
    operation_id="replayDeadLetter",
    responses={
        200: answer("The broker has its message.", ReplayAnswer),
        303: TO_THE_PAGE,
        **problems(404, 422, 503),
    },
)
def replay_one(path: LetterPath) -> Response:
    """Put a dead letter back into the queue that it came from. An item that has its outcome keeps it."""
    found = DeadLetters(database()).find(path.letter_id)
    if found is None:
        raise NotFound(UNKNOWN)
    why_not = obstacle(found)
    if why_not is not None:
        raise InvalidInput(f"The letter cannot be put back: {why_not}.")
    return _told(_replay([path.letter_id]))


@blueprint.post(
    "/dead/replay",
    operation_id="replayDeadLetters",
    responses={200: answer("What was put back.", ReplayAnswer), 303: TO_THE_PAGE, **problems(503)},
)
def replay_all() -> Response:
    """Put all dead letters back, the oldest first. A request works for some seconds; of very many, some are `left`."""
    return _told(_replay(DeadLetters(database()).ids()))


@blueprint.delete(
    "/dead",
    operation_id="purgeDeadLetters",
    responses={200: answer("They are gone.", PurgeAnswer), **problems(503)},
)
def purge() -> Response:
    """Throw all dead letters out. Their items keep their outcomes."""
    return as_json(PurgeAnswer(purged=DeadLetters(database()).purge()))


def _replay(letter_ids: Iterable[UUID]) -> Replayed:
    check_broker()
    return replay(database(), resources().publisher, letter_ids, until=time.monotonic() + REPLAY_SECONDS)


def _told(done: Replayed) -> Response:
    return see_other(url_for("dead.newest")) if wants_html(None) else as_json(ReplayAnswer.of(done))
