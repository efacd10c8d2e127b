"""`/images`: what is known about the stored images, without a pixel of them."""

from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from werkzeug.exceptions import NotFound

from common.instants import write_instant
from services.api.answers import linked, next_url
from services.api.blueprints.image_bytes import MALFORMED, UNKNOWN
from services.api.cursors import image_key, read_position, write_position
from services.api.inputs import is_md5, read_limit
from services.api.queries.images import Finding, StoredImage, find_image, findings, has_original, newest_images
from services.api.resources import database

blueprint = Blueprint("images", __name__)


@blueprint.get("/images")
def newest() -> Response:
    """List images, newest first."""
    position = read_position(request.args.get("cursor", ""), image_key)
    page = newest_images(database(), read_limit(request.args), position)
    following = next_url(write_position(page.next))
    return linked(jsonify(images=[_image(image) for image in page.entries], next=following), following)


@blueprint.get("/images/<md5>")
def metadata(md5: str) -> Response:
    """Tell about one image, with the URLs it was found under."""
    if not is_md5(md5):
        raise NotFound(MALFORMED)
    image = find_image(database(), md5)
    if image is None:
        raise NotFound(UNKNOWN)
    found, more = findings(database(), md5)
    answer = _image(image)
    if has_original(database(), md5):
        answer["links"]["original"] = url_for("image_bytes.original", md5=md5)
    return jsonify({**answer, "urls": [_finding(finding) for finding in found], "urls_more": more})


def _image(image: StoredImage) -> dict[str, Any]:
    return {
        "md5": image.md5,
        "width": image.width,
        "height": image.height,
        "length_bytes": image.length_bytes,
        "gray_bytes": image.gray_bytes,
        "format": image.format,
        "mode": image.mode,
        "orientation": image.orientation,
        "inserted_at": write_instant(image.inserted_at),
        "links": {
            "self": url_for("images.metadata", md5=image.md5),
            "gray": url_for("image_bytes.gray", md5=image.md5),
        },
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "url": finding.url,
        "item": str(finding.item_id),
        "task": str(finding.task_id),
        "outcome": finding.outcome,
        "finished_at": write_instant(finding.finished_at) if finding.finished_at else None,
        "links": {"task": url_for("url_tasks.task", task_id=finding.task_id)},
    }
