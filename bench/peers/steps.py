"""The whole job for one image, as a script would have it: MD5, decode, exact gray, PNG."""

import hashlib
import io
from typing import Any

import numpy as np
from PIL import Image


def document(url: str, body: bytes) -> dict[str, Any]:
    """Give what is stored of an image."""
    pixels = np.asarray(Image.open(io.BytesIO(body)).convert("RGB"))
    gray = (pixels.sum(axis=2) // 3).astype(np.uint8)
    png = io.BytesIO()
    Image.fromarray(gray).save(png, "PNG")
    height, width = gray.shape
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return {"url": url, "md5": md5, "width": width, "height": height, "gray": png.getvalue()}
