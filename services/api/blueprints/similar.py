"""`/image/<md5>/similar`: the stored images that look like one."""

from typing import Annotated

from flask import Response
from flask_openapi import APIBlueprint
from pydantic import Field
from werkzeug.exceptions import NotFound

from common.multi_index import DEFAULT_DISTANCE, MOST_DISTANCE
from services.api.answers import as_json
from services.api.blueprints.image_bytes import UNKNOWN, ImagePath
from services.api.describing import answer, problems
from services.api.inputs import Query
from services.api.queries.images import find_image
from services.api.queries.similar import perceptual_hash_of, similar_images
from services.api.resources import database
from services.api.schemas.similar import SimilarAnswer
from services.api.tags import IMAGES
from services.api.values import DIGITS, Limit

NOT_HASHED = (
    "This image has no perceptual hash: there is too little in it to be compared, as in a flat image or a gradient, "
    "or it was stored before there were any."
)

blueprint = APIBlueprint("similar", __name__, abp_tags=[IMAGES])


class SimilarQuery(Query):
    """How near the images must be, and how many are told."""

    distance: Annotated[
        int,
        Field(
            ge=0,
            le=MOST_DISTANCE,
            description="In how many of their 63 bits the perceptual hashes may differ.",
            examples=[DEFAULT_DISTANCE],
        ),
        DIGITS,
    ] = DEFAULT_DISTANCE
    limit: Limit = 50


@blueprint.get(
    "/image/<md5>/similar",
    operation_id="listSimilarImages",
    responses={
        200: answer("The images that look like it, nearest first.", SimilarAnswer),
        **problems(404, 422, 429, 503),
    },
)
def similar(path: ImagePath, query: SimilarQuery) -> Response:
    """List the images that look like one: near-duplicates, such as scaled or compressed copies."""
    perceptual_hash = perceptual_hash_of(database(), path.md5)
    if perceptual_hash is None:
        raise NotFound(UNKNOWN if find_image(database(), path.md5) is None else NOT_HASHED)
    found = similar_images(database(), path.md5, perceptual_hash, distance=query.distance, limit=query.limit)
    return as_json(SimilarAnswer.of(path.md5, query.distance, found))
