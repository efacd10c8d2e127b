"""What a grayscaler and its decoder process say to each other over a socket, and nothing that could be run.

A question is a length, whether its answer may wait for that to the next question, and an image. An answer is a head of
numbers, among them a length, and either a gray version or a sentence why there is none. The decoder has read a
stranger's bytes and may no longer be itself: whatever it says is checked against the limits.
"""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.errors import Permanent, Poison
from common.facts import HISTOGRAM
from common.png import start_of
from common.reasons import Reason

QUESTION = struct.Struct("!I?")
HEAD = struct.Struct("!BIIIB20s20sq1024s")
"""Which reason, or that there is none; length; width, height, orientation, format, mode, hash, histogram."""
READY = b"\x06"
"""Said by a decoder process once it can take images."""
OUT_OF_MEMORY = 71
"""The exit code of a decoder process that wanted more memory than it may have."""
REASONS = (
    Reason.NOT_AN_IMAGE,
    Reason.TOO_MANY_PIXELS,
    Reason.TRUNCATED,
    Reason.DECODE,
    Reason.GRAY_TOO_LARGE,
)
"""Why a decoder may refuse an image; told by its place here."""

_NONE = 255
_NO_HASH = -1
_DETAIL_BYTES = 500


@dataclass(frozen=True, slots=True)
class Limits:
    """The formats that are decoded, how many pixels an image may have, and how many bytes its gray version."""

    formats: tuple[str, ...]
    max_pixels: int
    max_gray_bytes: int


@dataclass(frozen=True, slots=True)
class GrayVersion:
    """A gray version as a PNG, and what only the decoder knows, as in `common.facts.ImageGrayscaled`."""

    png: bytes
    width: int
    height: int
    format: str
    mode: str
    orientation: int
    histogram: tuple[int, ...]
    perceptual_hash: int | None


Answer = GrayVersion | Permanent | Poison
"""What becomes of an image; who asked raises what is an error."""


def write_questions(bodies: Sequence[bytes]) -> bytes:
    """Write questions whose answers may come all at once."""
    last = len(bodies) - 1
    return b"".join(QUESTION.pack(len(body), number < last) + body for number, body in enumerate(bodies))


def write_refusal(error: Permanent) -> tuple[bytes, bytes]:
    """Write why there is no gray version."""
    detail = error.detail.encode(errors="replace")[:_DETAIL_BYTES]
    return HEAD.pack(REASONS.index(error.reason), len(detail), 0, 0, 0, b"", b"", 0, b""), detail


def write_gray(gray: GrayVersion) -> tuple[bytes, bytes]:
    """Write a gray version."""
    head = HEAD.pack(
        _NONE,
        len(gray.png),
        gray.width,
        gray.height,
        gray.orientation,
        gray.format.encode(),
        gray.mode.encode(),
        _NO_HASH if gray.perceptual_hash is None else gray.perceptual_hash,
        HISTOGRAM.pack(*gray.histogram),
    )
    return head, gray.png


def read_answer(receive: Callable[[int], bytes], limits: Limits) -> GrayVersion | Permanent:
    """Read an answer, of which `receive` gives so many bytes. Raises ValueError for what is none within the limits."""
    reason, length, width, height, orientation, kind, mode, perceptual_hash, packed = HEAD.unpack(receive(HEAD.size))
    if reason != _NONE:
        if reason >= len(REASONS) or length > _DETAIL_BYTES:
            raise ValueError("no reason")
        return Permanent(REASONS[reason], receive(length).decode(errors="replace"))
    if length > limits.max_gray_bytes:
        raise ValueError(f"{length:,} bytes")
    histogram = HISTOGRAM.unpack(packed)
    pixels = width * height
    if not 0 < pixels <= limits.max_pixels or sum(histogram) != pixels or not 1 <= orientation <= 8:
        raise ValueError("numbers that do not agree")
    if perceptual_hash < _NO_HASH:
        raise ValueError("a hash that is none")
    png = receive(length)
    if not png.startswith(start_of(width, height)):
        raise ValueError("no PNG of that size")
    return GrayVersion(
        png,
        width,
        height,
        _name(kind),
        _name(mode),
        orientation,
        histogram,
        None if perceptual_hash == _NO_HASH else perceptual_hash,
    )


def _name(field: bytes) -> str:
    name = field.rstrip(b"\0").decode("ascii")
    if not name.isprintable():
        raise ValueError("a name that is none")
    return name
