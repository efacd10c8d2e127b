"""`/image/<md5>`: an image's gray version, large and small, and its bytes as received."""

from typing import ClassVar

from flask import Response, redirect, request, url_for
from flask_openapi import APIBlueprint
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from services.api.answers import IMMUTABLE, wants_html
from services.api.describing import HTML, UNCHANGED, answer, problems
from services.api.formats import MEDIA_TYPES, type_of
from services.api.inputs import Path
from services.api.queries.images import find_image, gray_png, has_gray, has_original, original_body, random_md5
from services.api.queries.thumbnails import thumbnail_of
from services.api.resources import database
from services.api.tags import IMAGES
from services.api.values import Md5

UNKNOWN = "No image with this MD5 is stored."
NOT_KEPT = "The bytes of this image as received are not kept here; the gray version is."
MALFORMED = "An image's address ends in its MD5: 32 digits out of 0-9 and a-f, in lower case."

blueprint = APIBlueprint("image_bytes", __name__, abp_tags=[IMAGES])


class ImagePath(Path):
    """Which image."""

    missing: ClassVar[str] = MALFORMED

    md5: Md5


@blueprint.get(
    "/image/<md5>",
    operation_id="getGray",
    responses={
        200: answer("The gray version; it never changes.", "image/png", headers=("ETag",)),
        304: UNCHANGED,
        **problems(404, 503),
    },
)
def gray(path: ImagePath) -> Response:
    """Give the gray version as a PNG."""
    return give_gray(path.md5)


@blueprint.get(
    "/image/<md5>/original",
    operation_id="getOriginal",
    responses={
        200: answer("The bytes as received; they never change.", *MEDIA_TYPES, headers=("ETag",)),
        304: UNCHANGED,
        **problems(404, 503),
    },
)
def original(path: ImagePath) -> Response:
    """Give the bytes as received."""
    return give_original(path.md5)


@blueprint.get(
    "/image/<md5>/thumbnail",
    operation_id="getThumbnail",
    responses={
        200: answer("The gray version, small; it never changes.", "image/webp", headers=("ETag",)),
        304: UNCHANGED,
        **problems(404, 503),
    },
)
def thumbnail(path: ImagePath) -> Response:
    """Give a thumbnail of the gray version, made once: at most 240 pixels wide and high."""
    md5 = path.md5
    tag = f"{md5}-thumbnail"
    body = (b"" if _is_known(tag) else thumbnail_of(database(), md5)) if has_gray(database(), md5) else None
    if body is None:
        raise NotFound(UNKNOWN)
    return _immutable(body, tag, f"{md5}.webp", "image/webp")


@blueprint.get(
    "/randomimage",
    operation_id="getRandomImage",
    responses={302: answer("The address of an image.", HTML, headers=("Location",)), **problems(404, 503)},
)
def random_image() -> AnyResponse:
    """Lead to an image taken at random: to its gray version, or to its page who prefers HTML."""
    md5 = random_md5(database())
    if md5 is None:
        raise NotFound("No image is stored yet.")
    response = redirect(url_for("images.metadata" if wants_html(None) else ".gray", md5=md5))
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response


def give_gray(md5: str) -> Response:
    """Answer with an image's gray version. Raises NotFound."""
    tag = f"{md5}-gray"
    body = b"" if _is_known(tag) and has_gray(database(), md5) else gray_png(database(), md5)
    if body is None:
        raise NotFound(UNKNOWN)
    return _immutable(body, tag, f"{md5}.png", "image/png")


def give_original(md5: str) -> Response:
    """Answer with an image's bytes as received. Raises NotFound."""
    image = find_image(database(), md5)
    if image is None:
        raise NotFound(UNKNOWN)
    media_type, ending = type_of(image.format)
    body = b"" if _is_known(md5) and has_original(database(), md5) else original_body(database(), md5)
    if body is None:
        raise NotFound(NOT_KEPT)
    return _immutable(body, md5, f"{md5}.{ending}", media_type)


def _is_known(tag: str) -> bool:
    """Tell whether the client has it already, so that the answer will be 304 and needs no bytes."""
    return request.if_none_match.contains(tag)


def _immutable(body: bytes, tag: str, file_name: str, media_type: str) -> Response:
    """Answer with bytes that never change under this tag. A stranger made them: nothing in them may run."""
    response = Response(body, mimetype=media_type)
    response.set_etag(tag)
    response.headers.update(
        {
            "Cache-Control": IMMUTABLE,
            "Content-Disposition": f'inline; filename="{file_name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
    )
    response.make_conditional(request)
    return response
