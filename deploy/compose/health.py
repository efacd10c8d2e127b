"""`python health.py [URL]`: what the health checks of our containers ask.

With a URL: does it answer with 200? Without: has the worker touched its health file lately, as it does while it is
connected and takes messages?
"""

import os
import sys
import time
import urllib.request
from pathlib import Path

SECONDS = 4
OLDEST_SECONDS = 15
"""The worker touches the file every five seconds."""


def answers(url: str) -> bool:
    """Ask it."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - the URL is the compose file's
            return bool(answer.status == 200)
    except OSError:
        return False


def has_pulse(file: Path) -> bool:
    """Tell whether the file is there and was touched lately."""
    try:
        return time.time() - file.stat().st_mtime < OLDEST_SECONDS
    except OSError:
        return False


def main() -> int:
    """Give the exit code: 0 for healthy."""
    healthy = answers(sys.argv[1]) if sys.argv[1:] else has_pulse(Path(os.environ["HEALTH_FILE"]))
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
