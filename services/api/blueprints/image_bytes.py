"""`/image/<md5>`: an image's gray version, and its bytes as received."""

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as AnyResponse

from services.api.answers import IMMUTABLE
from services.api.inputs import is_md5
from services.api.queries.images import find_image, gray_png, has_gray, has_original, original_body, random_md5
from services.api.resources import database

TYPES = {
    "PNG": ("image/png", "png"),
    "JPEG": ("image/jpeg", "jpg"),
    "MPO": ("image/jpeg", "jpg"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
    "BMP": ("image/bmp", "bmp"),
    "TIFF": ("image/tiff", "tif"),
}
"""Media type and file ending by the format that the decoder found; what the remote server said counts for nothing."""
UNKNOWN_TYPE = ("application/octet-stream", "bin")
UNKNOWN = "No image with this MD5 is stored."
NOT_KEPT = "The bytes of this image as received are not kept here; the gray version is."
MALFORMED = "An image's address ends in its MD5: 32 digits out of 0-9 and a-f, in lower case."

blueprint = Blueprint("image_bytes", __name__)


@blueprint.get("/image/<md5>")
def gray(md5: str) -> Response:
    """Give the gray version as a PNG."""
    _check(md5)
    tag = f"{md5}-gray"
    body = b"" if _is_known(tag) and has_gray(database(), md5) else gray_png(database(), md5)
    if body is None:
        raise NotFound(UNKNOWN)
    return _immutable(body, tag, f"{md5}.png", "image/png")


@blueprint.get("/image/<md5>/original")
def original(md5: str) -> Response:
    """Give the bytes as received."""
    _check(md5)
    image = find_image(database(), md5)
    if image is None:
        raise NotFound(UNKNOWN)
    media_type, ending = TYPES.get(image.format, UNKNOWN_TYPE)
    body = b"" if _is_known(md5) and has_original(database(), md5) else original_body(database(), md5)
    if body is None:
        raise NotFound(NOT_KEPT)
    return _immutable(body, md5, f"{md5}.{ending}", media_type)


@blueprint.get("/randomimage")
def random_image() -> AnyResponse:
    """Lead to the gray version of an image taken at random."""
    md5 = random_md5(database())
    if md5 is None:
        raise NotFound("No image is stored yet.")
    response = redirect(url_for(".gray", md5=md5))
    response.headers["Cache-Control"] = "no-store"
    return response


def _check(md5: str) -> None:
    if not is_md5(md5):
        raise NotFound(MALFORMED)


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
