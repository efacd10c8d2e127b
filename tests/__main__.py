"""All tests, or those that pytest is given arguments for: `python -m tests`.

Unit and integration tests run side by side, as many of them wait. A browser has the machine to itself, as it drops its
connections when a container's network comes. Then whole stacks are put under load: one on this machine, and one in
containers beside it.
"""

import os
import subprocess
import sys

MOST_AT_ONCE = 4
"""Each has servers of its own."""
STACKS = ("tests/faults", "tests/compose")


def main() -> None:
    """Run them, and end with the first code that is not 0."""
    if arguments := sys.argv[1:]:
        sys.exit(_pytest(*arguments))
    at_once = min(os.cpu_count() or 1, MOST_AT_ONCE)
    codes = [
        _pytest(f"--numprocesses={at_once}", "--dist=loadfile", "tests/unit", "tests/integration"),
        _pytest("tests/e2e"),
        _pytest(f"--numprocesses={len(STACKS)}", "--dist=loadscope", *STACKS),
    ]
    sys.exit(next(filter(None, codes), 0))


def _pytest(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "pytest", *arguments], check=False).returncode


if __name__ == "__main__":
    main()
