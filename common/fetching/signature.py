"""What a body is, by its first bytes. What the server calls it does not count."""

from common.errors import Permanent
from common.reasons import Reason

SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"8BPS", "PSD"),
    (b"%PDF", "PDF"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"icns", "ICNS"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG2000"),
    (b"\x00\x00\x00\x0cJXL ", "JXL"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\xff\x0a", "JXL"),
)
MEDIA_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
    "TIFF": "image/tiff",
}
BRANDS = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"heim": "HEIC", b"mif1": "HEIC"}


def image_format(body: bytes) -> str | None:
    """Give the name of the image format that the body starts as, or None."""
    for start, name in SIGNATURES:
        if body.startswith(start):
            return name
    if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        return "WEBP"
    if body[4:8] == b"ftyp":
        return BRANDS.get(body[8:12])
    head = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml", b"<!doctype svg")) and b"<svg" in head:
        return "SVG"
    return None


def media_type(body: bytes, allowed: tuple[str, ...]) -> str:
    """Give the media type of an image of an allowed format; raises Permanent for anything else."""
    name = image_format(body)
    if name is None:
        raise Permanent(Reason.NOT_AN_IMAGE, f"starts with {body[:16]!r}")
    if name not in allowed:
        raise Permanent(Reason.FORMAT_NOT_ALLOWED, name)
    return MEDIA_TYPES[name]
