"""The content address of an image."""

import hashlib


def md5_of(body: bytes) -> str:
    """Give the MD5 (RFC 1321) of the bytes as received, as 32 lower-case hexadecimal digits.

    It names a content, it guards nothing: who wants two images of one MD5 can make them.
    """
    return hashlib.md5(body, usedforsecurity=False).hexdigest()
