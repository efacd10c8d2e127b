"""`python -m deploy.local up|down|status|addresses|key|logs`: what the Makefile's targets call."""

import logging
import os
import sys
from pathlib import Path

import click

from common.errors import ConfigurationError
from deploy.local import stack, status
from deploy.local.checkout import Checkout, this_checkout
from deploy.local.environment import read_stack_env
from deploy.local.errors import StackError
from deploy.local.supervision import Supervisor

NOT_RUNNING = "the stack is not running; start it with: make up"


@click.group()
@click.pass_context
def main(context: click.Context) -> None:
    """Run Graymill on this machine."""
    # While a broker starts, connections are refused: no news.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    context.obj = this_checkout()


@main.command()
@click.option("--brief", is_flag=True, help="Do not print the addresses.")
@click.pass_obj
def up(checkout: Checkout, *, brief: bool) -> None:
    """Start the stack, or change the running one to what the environment asks for."""
    environment = stack.up(checkout, os.environ, click.echo)
    click.echo(f"up: {len(Supervisor(checkout).processes())} processes run; look at them with: make status")
    if not brief:
        _echo_addresses({**environment.written, **environment.overrides})


@main.command()
@click.pass_obj
def down(checkout: Checkout) -> None:
    """Stop everything, keep the data."""
    click.echo("down" if stack.down(checkout) else "nothing is running")


@main.command(name="status")
@click.pass_obj
def show_status(checkout: Checkout) -> None:
    """Tell what runs, since when, and where."""
    processes = Supervisor(checkout).processes()
    if not processes:
        click.echo(NOT_RUNNING)
        return
    for line in status.table(processes.values()):
        click.echo(line)
    click.echo()
    _echo_addresses(read_stack_env(checkout.stack_env))


@main.command()
@click.argument("task", default="")
@click.pass_obj
def addresses(checkout: Checkout, task: str) -> None:
    """Tell where to look, at one task first if one is named."""
    _echo_addresses(read_stack_env(checkout.stack_env), task)


@main.command()
@click.pass_obj
def key(checkout: Checkout) -> None:
    """Show the API key, the first of several."""
    keys = read_stack_env(checkout.stack_env).get("API_KEYS", "")
    if not keys:
        raise StackError("there is no key yet; `make up` makes one")
    click.echo(keys.split(",")[0])


@main.command()
@click.argument("service", default="")
@click.pass_obj
def logs(checkout: Checkout, service: str) -> None:
    """Follow the services' logs, or one's: hasher, grayscaler_2, rabbitmq, mongod."""
    servers = {"rabbitmq", "mongod", "supervisord", "setup"}
    known = {path.stem: path for path in sorted(checkout.logs.glob("*.log"))}
    wanted: list[Path] = [
        path
        for name, path in known.items()
        if (service in {name, name.rsplit("_", 1)[0]} if service else name not in servers)
    ]
    if not wanted:
        raise StackError(f"no logs of {service or 'services'} yet; there are: {', '.join(known) or 'none'}")
    os.execvp("tail", ["tail", "-n", "20", "-F", *map(str, wanted)])  # noqa: S606, S607 - no shell wanted


def _echo_addresses(values: dict[str, str], task: str = "") -> None:
    for line in status.addresses(values, task):
        click.echo(line)


if __name__ == "__main__":
    try:
        main(prog_name="python -m deploy.local")
    except StackError as error:
        click.echo(f"graymill: {error}", err=True)
        sys.exit(1)
    except ConfigurationError as error:
        click.echo(f"graymill: {error}", err=True)
        sys.exit(2)
