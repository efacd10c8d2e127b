"""`/health` for those who ask whether the process lives, `/ready` for whether it can do its work."""

from flask import Response
from flask_openapi import APIBlueprint

from common.database import ping
from services.api.answers import as_json
from services.api.describing import TEXT, answer
from services.api.resources import resources
from services.api.schemas.monitoring import ReadyAnswer
from services.api.tags import MONITORING

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
    """Say whether the database answers and the broker takes messages."""
    database, broker = ping(resources().database, seconds=0.9), resources().publisher.ready
    both = database and broker
    return as_json(ReadyAnswer(ready=both, database=database, broker=broker), 200 if both else 503)
