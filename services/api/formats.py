"""How an image is called over HTTP and as a file, by the format that the decoder found."""

from typing import NamedTuple


class Type(NamedTuple):
    """A media type, and the ending of a file's name."""

    media_type: str
    ending: str


TYPES = {
    "PNG": Type("image/png", "png"),
    "JPEG": Type("image/jpeg", "jpg"),
    "MPO": Type("image/jpeg", "jpg"),
    "GIF": Type("image/gif", "gif"),
    "WEBP": Type("image/webp", "webp"),
    "BMP": Type("image/bmp", "bmp"),
    "TIFF": Type("image/tiff", "tif"),
}
"""What the remote server said counts for nothing."""
UNKNOWN = Type("application/octet-stream", "bin")
MEDIA_TYPES = sorted({of.media_type for of in (*TYPES.values(), UNKNOWN)})


def type_of(image_format: str) -> Type:
    """Give the type of a stored format."""
    return TYPES.get(image_format, UNKNOWN)
