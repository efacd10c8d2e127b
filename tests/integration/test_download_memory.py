"""What a process of many threads needs that all download the largest bodies at once."""

import subprocess
import sys

from tests.raw_server import JPEG_START, answering, talking, whole

LARGEST_BYTES = 15 * 1024 * 1024
DOWNLOADS = 96
MOST_MEGABYTES = 400
DOWNLOAD_ALL = """
import re, sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from common.arenas import use_few_arenas
from tests.downloading import downloader

url, downloads = sys.argv[1], int(sys.argv[2])
use_few_arenas()
fetching = downloader()
with ThreadPoolExecutor(32) as pool:
    received = sum(pool.map(lambda _number: len(fetching.download(url).body), range(downloads)))
print(received, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_thirty_two_threads_that_download_the_largest_bodies_stay_within_their_memory() -> None:
    answer = whole(JPEG_START + bytes(LARGEST_BYTES - len(JPEG_START)))
    with talking(answering(answer), send_buffer_bytes=1 << 20) as server:
        command = [sys.executable, "-c", DOWNLOAD_ALL, server.url(), str(DOWNLOADS)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    received_bytes, peak_kilobytes = map(int, done.stdout.split())
    print(f"{DOWNLOADS} bodies of 15 MiB, 32 threads: at most {peak_kilobytes / 1024:.0f} MB")  # noqa: T201
    assert received_bytes == DOWNLOADS * LARGEST_BYTES
    assert peak_kilobytes / 1024 < MOST_MEGABYTES
