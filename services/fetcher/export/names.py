"""How the files of an image are called."""

EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp", "BMP": "bmp", "TIFF": "tif"}


def extension(image_format: str) -> str:
    """Give the extension of a stored format, without the dot."""
    return EXTENSIONS.get(image_format) or image_format.lower()
