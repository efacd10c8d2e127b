"""The program `fetcher`: its commands, each loaded when it is asked for, and a quick end."""

import os
import sys
from importlib import import_module

import click

COMMANDS = {
    "dead": "services.fetcher.dead",
    "export": "services.fetcher.export.command",
    "hosts": "services.fetcher.hosts",
    "lost": "services.fetcher.lost",
    "publish": "services.fetcher.cli",
    "retry": "services.fetcher.cli",
}
"""The module that has the command under its name: what an export needs would double the start of a publication."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:  # noqa: ARG002
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[name]), name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="graymill", prog_name="fetcher")
def main() -> None:
    """Hand URLs over to Graymill and see what becomes of them."""


def run() -> None:
    """Run a command and end the process with it.

    An interpreter that ends in the usual way waits for a thread of pymongo's, which looks up twice a second.
    """
    try:
        main()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
