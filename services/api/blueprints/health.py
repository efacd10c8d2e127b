"""`/health` for those who ask whether the process lives, `/ready` for whether it can do its work."""

import pymongo
from flask import Response
from flask_openapi import APIBlueprint

from common.database import ping
from common.dead_letters import DeadLetters
from common.errors import Unavailable
from common.instants import write_instant
from common.standstill import standstill
from services.api.answers import as_json
from services.api.describing import TEXT, answer
from services.api.resources import now, resources
from services.api.schemas.monitoring import ReadyAnswer
from services.api.tags import MONITORING

PATIENCE_SECONDS = 0.9
MOST_NAMED = 5
blueprint = APIBlueprint("health", __name__, abp_tags=[MONITORING])


@blueprint.get("/health", operation_id="getHealth", responses={200: answer("`OK`.", TEXT)})
def health() -> Response:
    """Say OK. Nothing else is touched."""
    return Response("OK", mimetype="text/plain")


@blueprint.get(
    "/ready",
    operation_id="getReady",
    responses={200: answer("All of them answer.", ReadyAnswer), 503: answer("One does not.", ReadyAnswer)},
)
def ready() -> Response:
    """Say whether the database answers and the broker takes messages; warnings are no reason to send nobody here."""
    database, broker = ping(resources().database, seconds=PATIENCE_SECONDS), resources().publisher.ready
    both = database and broker
    warnings = _warnings() if database else []
    return as_json(ReadyAnswer(ready=both, database=database, broker=broker, warnings=warnings), 200 if both else 503)


def _warnings() -> list[str]:
    try:
        with pymongo.timeout(PATIENCE_SECONDS):
            still, dead = standstill(resources().database, now()), DeadLetters(resources().database).count()
    except Unavailable:
        return []
    warnings = [f"{dead:,} dead letters: see /dead, or `fetcher dead list`."] if dead else []
    if still is not None:
        tasks = ", ".join(map(str, still.task_ids[:MOST_NAMED]))
        warnings.append(
            f"Nothing has moved since {write_instant(still.since)}, and {len(still.task_ids)} tasks have items whose "
            f"messages are gone: {tasks}. `fetcher publish --resume TASK` brings them home."
        )
    return warnings
