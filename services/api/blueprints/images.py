"""`/images/<md5>`: all that is known about a stored image, as JSON and as a page."""

from flask import Response, make_response, render_template
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound

from common.multi_index import MOST_DISTANCE
from services.api.answers import as_json, linked, next_url, wants_html
from services.api.blueprints.image_bytes import UNKNOWN, ImagePath
from services.api.blueprints.similar import NOT_HASHED, SimilarQuery
from services.api.cursors import ItemCursor
from services.api.describing import HTML, answer, problems
from services.api.level_figure import level_bars
from services.api.queries.images import MOST_URLS, StoredImage, find_image, find_present, findings, has_original
from services.api.queries.neighbours import neighbours
from services.api.queries.similar import perceptual_hash_of, similar_images
from services.api.queries.statistics import find_histogram
from services.api.resources import database, resources
from services.api.schemas.images import FoundImageAnswer
from services.api.statistics import MEANINGS, summary
from services.api.tags import IMAGES
from services.api.values import Absent, Limit, OptionalFormat

URLS_ON_A_PAGE = 20
blueprint = APIBlueprint("images", __name__, abp_tags=[IMAGES])


class ImageQuery(SimilarQuery):
    """What of it, and in which form. `distance` and `limit` are for the near-duplicates, which only the page shows."""

    limit: Limit = 12
    cursor: ItemCursor | Absent = None
    format: OptionalFormat = None


@blueprint.get(
    "/images/<md5>",
    operation_id="getImage",
    responses={
        200: answer("The image's metadata.", FoundImageAnswer, HTML, headers=("Link",)),
        **problems(404, 422, 503),
    },
)
def metadata(path: ImagePath, query: ImageQuery) -> Response:
    """Tell about one image, with the URLs it was found under."""
    image = find_image(database(), path.md5)
    if image is None:
        raise NotFound(UNKNOWN)
    html = wants_html(query.format)
    found, more = findings(database(), path.md5, query.cursor, URLS_ON_A_PAGE if html else MOST_URLS)
    following = next_url(query, str(found[-1].item_id)) if more else None
    original = has_original(database(), path.md5)
    if html:
        response = _page(image, query, found=found, following=following, original=original)
    else:
        response = as_json(FoundImageAnswer.of_found(image, found, following=following, original=original))
    response.vary.add("Accept")
    return linked(response, following)


def _page(image: StoredImage, query: ImageQuery, **about: object) -> Response:
    """Make the page."""
    perceptual_hash = perceptual_hash_of(database(), image.md5)
    similar = perceptual_hash is not None and similar_images(
        database(), image.md5, perceptual_hash, distance=query.distance, limit=query.limit
    )
    measured = find_histogram(database(), image.md5)
    counts = measured.counts if measured else ()
    page = render_template(
        "image.html",
        image=image,
        counts=counts,
        figure=level_bars(counts) if counts else None,
        statistics=summary(counts) if counts else {},
        meanings=MEANINGS,
        similar=similar or None,
        near=find_present(database(), [near.md5 for near in similar.images]) if similar else {},
        not_hashed=NOT_HASHED,
        distance=query.distance,
        most_distance=MOST_DISTANCE,
        neighbours=neighbours(database(), image),
        after=query.cursor,
        plotly_js=resources().plotly_js,
        **about,
    )
    return make_response(page)
