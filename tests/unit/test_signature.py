"""What a body is called by its first bytes."""

import io

import pytest
from PIL import Image

from common.errors import Permanent
from common.fetching.signature import MEDIA_TYPES, image_format, media_type
from common.reasons import Reason

ALLOWED = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
REFUSED = {
    b"%!PS-Adobe-3.0 EPSF-3.0\n": "EPS",
    b"\xc5\xd0\xd3\xc6\x1e\x00\x00\x00": "EPS",
    b"%PDF-1.7\n": "PDF",
    b"8BPS\x00\x01": "PSD",
    b"icns\x00\x00\x01\x00": "ICNS",
    b"\x00\x00\x01\x00\x01\x00": "ICO",
    b"II*\x00\x08\x00": "TIFF",
    b"MM\x00*\x00\x00": "TIFF",
    b"\x00\x00\x00\x20ftypavif\x00\x00": "AVIF",
    b"\x00\x00\x00\x20ftypavis\x00\x00": "AVIF",
    b"\x00\x00\x00\x18ftypheic\x00\x00": "HEIC",
    b"\x00\x00\x00\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51\x00\x2f": "JPEG2000",
    b"\xff\x0a\x00": "JXL",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>": "SVG",
    b"\xef\xbb\xbf  <?xml version='1.0'?>\n<svg/>": "SVG",
    b"\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN'>\n<SVG>": "SVG",
}
NO_IMAGES = [
    *(b"\x00", b"\xff", b"\xff\xd8", b"\x89PNG", b"\x00" * 4096, b"RIFF\x00\x00\x00\x00WAVE", b"GIF88a", b"ftypavif"),
    *(
        b"<!doctype html><img>",
        b"<html><svg/></html>",
        b"<?xml version='1.0'?><rss/>",
        b'{"error": 1}',
        b"page not found",
    ),
    *(b"\x00\x00\x00\x18ftypmp42", b"PK\x03\x04", b"\x1f\x8b\x08", b" \xff\xd8\xff"),
]


@pytest.mark.parametrize("kind", MEDIA_TYPES)
def test_what_pillow_writes_is_known_by_its_first_bytes(kind: str) -> None:
    body = io.BytesIO()
    Image.new("RGB", (3, 2)).save(body, kind)
    assert image_format(body.getvalue()) == kind
    assert media_type(body.getvalue(), tuple(MEDIA_TYPES)) == f"image/{kind.lower()}"


@pytest.mark.parametrize("version", [b"GIF87a", b"GIF89a"])
def test_both_versions_of_gif_are_known(version: bytes) -> None:
    assert media_type(version, ALLOWED) == "image/gif"


@pytest.mark.parametrize(("body", "name"), REFUSED.items())
def test_a_format_that_is_not_allowed_is_named_and_refused(body: bytes, name: str) -> None:
    with pytest.raises(Permanent, match=name) as caught:
        media_type(body, ALLOWED)
    assert caught.value.reason is Reason.FORMAT_NOT_ALLOWED


@pytest.mark.parametrize("body", NO_IMAGES)
def test_bytes_that_begin_like_no_image_are_none(body: bytes) -> None:
    assert image_format(body) is None
    with pytest.raises(Permanent) as caught:
        media_type(body, ALLOWED)
    assert caught.value.reason is Reason.NOT_AN_IMAGE
    assert caught.value.detail.isascii()
    assert caught.value.detail.isprintable()


def test_an_allowed_format_is_one_that_was_allowed() -> None:
    assert media_type(b"II*\x00", (*ALLOWED, "TIFF")) == "image/tiff"
    with pytest.raises(Permanent):
        media_type(b"\xff\xd8\xff", ("PNG",))
