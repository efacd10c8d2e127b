"""Every foreseeable failure of a command is told in one line, with an exit code."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from common import logs
from common.errors import ConfigurationError, Unavailable
from common.settings import Settings
from services.fetcher.errors import BadInput

BAD_INPUT = 2
UNREACHABLE = 3
INTERRUPTED = 130


@contextmanager
def one_line(how_to_go_on: str = "") -> Iterator[Settings]:
    """Read the settings for a command, and have its errors told; after an interruption, how to go on as well."""
    then = f"; {how_to_go_on}" if how_to_go_on else ""
    try:
        settings = Settings.load()
        logs.configure(replace(settings, log_level="WARNING"), "fetcher")
        yield settings
    except (ConfigurationError, BadInput) as error:
        sys.exit(say(str(error), BAD_INPUT))
    except Unavailable as error:
        sys.exit(say(f"{error}{then}", UNREACHABLE))
    except KeyboardInterrupt:
        sys.exit(say(f"interrupted{then}", INTERRUPTED))


def say(sentence: str, code: int) -> int:
    """Tell the sentence, and give the exit code back."""
    click.echo(f"fetcher: {sentence}", err=True)
    return code
