"""The process that decodes: `python -m services.grayscaler.decoder_process` and its limits, as `decoder` gives them.

It answers one image after the other, over the socket that is its standard input, until that is closed. It knows no
broker, no database and no setting, and by the time it sees an image it can open nothing and write nowhere else.
"""

import ctypes
import gc
import importlib
import os
import resource
import signal
import socket
import sys
import warnings
from contextlib import suppress
from pathlib import Path

from PIL import Image

from common.errors import Permanent
from services.grayscaler.exchange import OUT_OF_MEMORY, QUESTION, READY, Limits, write_gray, write_refusal
from services.grayscaler.gray_version import gray_version

MOST_HELD_BYTES = 256 * 1024
LATE_IMPORTS = ("PIL.MpoImagePlugin", "PIL.TiffImagePlugin", "PIL.WebPImagePlugin", "PIL.ImageCms")
"""What Pillow imports, beside its `preinit`, when it meets an image that needs it: then nothing can be opened."""

# prctl(2), mallopt(3)
PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
M_TRIM_THRESHOLD = -1
M_MMAP_THRESHOLD = -3
KEPT_BYTES = 32 * 1024 * 1024


def main() -> None:
    """Decode within the limits that the command line gives."""
    memory_bytes, formats, max_pixels, max_gray_bytes = sys.argv[1:]
    limits = Limits(tuple(formats.split(",")), int(max_pixels), int(max_gray_bytes))
    with socket.socket(fileno=0) as connection:
        prepare(limits)
        confine(int(memory_bytes))
        connection.sendall(READY)
        serve(connection, limits)


def prepare(limits: Limits) -> None:
    """Do what is to be done once."""
    Image.preinit()
    for name in LATE_IMPORTS:
        importlib.import_module(name)
    # Pillow's own guard, should a decoder find a larger picture inside than its header told.
    Image.MAX_IMAGE_PIXELS = limits.max_pixels
    warnings.simplefilter("ignore")
    gc.freeze()
    libc = ctypes.CDLL(None)
    # Memory that was given back is kept for the next image, as glibc comes to do by itself after large ones: to be
    # given it anew, page by page, is a seventh of the work on a small one.
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, KEPT_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, 2 * KEPT_BYTES)


def confine(memory_bytes: int) -> None:
    """Give up for good what decoding does not need; `memory_bytes` may come on top of what is in use."""
    # A worker that is told to end finishes what it holds, and then closes the socket.
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # where memory runs out, this process goes first
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, sys.stderr.fileno())  # some decoders complain there, in the file's words
    os.close(silence)
    in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for what, most in (
        (resource.RLIMIT_AS, in_use + memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),
    ):
        resource.setrlimit(what, (most, most))


def serve(connection: socket.socket, limits: Limits) -> None:
    """Answer images until there are no more."""
    held: list[bytes] = []
    while head := connection.recv(QUESTION.size, socket.MSG_WAITALL):
        length, may_wait = QUESTION.unpack(head)
        held += _answer(connection.recv(length, socket.MSG_WAITALL), limits)
        if not may_wait or sum(map(len, held)) > MOST_HELD_BYTES:
            connection.sendmsg(held)
            held.clear()


def _answer(body: bytes, limits: Limits) -> tuple[bytes, bytes]:
    try:
        return write_gray(gray_version(body, limits))
    except Permanent as error:
        return write_refusal(error)
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
