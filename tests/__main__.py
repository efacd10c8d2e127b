"""All tests, or those that pytest is given arguments for: `python -m tests`.

Unit and integration tests run side by side, as many of them wait. The others have the machine to themselves: they put
whole stacks under load, and a browser drops its connections when a container's network comes.
"""

import os
import subprocess
import sys

SIDE_BY_SIDE = ("tests/unit", "tests/integration")
ALONE = ("tests/faults", "tests/e2e")
MOST_AT_ONCE = 4
"""Each has servers of its own."""


def main() -> None:
    """Run them, and end with the first code that is not 0."""
    if arguments := sys.argv[1:]:
        sys.exit(_pytest(*arguments))
    at_once = min(os.cpu_count() or 1, MOST_AT_ONCE)
    codes = [_pytest(f"--numprocesses={at_once}", "--dist=loadfile", *SIDE_BY_SIDE), _pytest(*ALONE)]
    sys.exit(next(filter(None, codes), 0))


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    main()
