"""`/health` for those who ask whether the process lives, `/ready` for whether it can do its work."""

from flask import Blueprint, Response, jsonify

from common.database import ping
from services.api.resources import resources

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
def health() -> Response:
    """Say OK. Nothing else is touched."""
    return Response("OK", mimetype="text/plain")


@blueprint.get("/ready")
def ready() -> tuple[Response, int]:
    """Say whether the database answers and the broker takes messages."""
    database, broker = ping(resources().database, seconds=0.9), resources().publisher.ready
    return jsonify(ready=database and broker, database=database, broker=broker), 200 if database and broker else 503
