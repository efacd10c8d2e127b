"""A tool's own virtual environment, made on first use, so that `.venv` need not hold what is only compared with."""

import subprocess
import sys
from pathlib import Path

from bench.corpus import CACHE

REQUIREMENTS = Path(__file__).parent / "requirements"
PATIENCE_SECONDS = 600


class NotInstalled(Exception):
    """The tool cannot be had here; says why."""


def pins(name: str) -> dict[str, str]:
    """Give the versions of a tool and of all that it needs, by package."""
    lines = _requirements(name).read_text("utf-8").split()
    return dict(line.lower().split("==") for line in lines)


def installed(name: str, *, cache: Path = CACHE) -> Path:
    """Give the `bin` folder of a tool's environment, making the environment unless it is as pinned.

    Raises NotInstalled.
    """
    folder, requirements = cache / "peers" / name, _requirements(name)
    # A virtual environment knows its own path, so a moved checkout needs another one.
    wanted, stamp = f"{folder}\n{requirements.read_text('utf-8')}", folder / "installed.txt"
    if not stamp.exists() or stamp.read_text("utf-8") != wanted:
        _call(sys.executable, "-m", "venv", "--clear", str(folder))
        pip = (str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
        _call(*pip, "--no-deps", "--requirement", str(requirements))
        stamp.write_text(wanted, "utf-8")
    return folder / "bin"


def _requirements(name: str) -> Path:
    return REQUIREMENTS / f"{name}.txt"


def _call(*command: str) -> None:
    try:
        subprocess.run(  # noqa: S603 - the command is ours
            command, check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"not installed within {PATIENCE_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines() or [f"ended with {error.returncode}"]
        # After the error, pip gives hints.
        raise NotInstalled(next((line for line in lines if line.startswith("ERROR")), lines[-1])) from error
