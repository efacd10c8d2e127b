"""`python -m samples`: run the site until SIGTERM or SIGINT, then end with 0."""

from __future__ import annotations

import os
import signal
import sys

from samples.settings import SettingError, Settings
from samples.site import serving

ENDING_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


def main() -> int:
    """Serve; gives the exit code (2 when a setting is wrong or the address cannot be had)."""
    # Blocked and waited for instead of handled: a handler would interrupt the main thread inside a lock.
    # The threads started later inherit the mask, so the signal always arrives at `sigwait`.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        settings = Settings.from_environment(os.environ)
    except SettingError as error:
        sys.stderr.write(f"samples: {error}\n")
        return 2
    try:
        with serving(settings.host, settings.port) as site:
            sys.stdout.write(f"samples: listening on {site.base_url}\n")
            sys.stdout.flush()
            signal.sigwait(ENDING_SIGNALS)
    except OSError as error:
        sys.stderr.write(
            f"samples: cannot listen on SAMPLES_HOST={settings.host} SAMPLES_PORT={settings.port}: {error}\n"
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
