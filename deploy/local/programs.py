"""What runs beside the two servers: which programs, how many of each, told what."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local.checkout import Checkout
from deploy.local.environment import StackEnvironment
from deploy.local.errors import StackError

WORKERS = {
    "fetcher": ("FETCHERS", 1),
    "scraper": ("SCRAPERS", 1),
    "hasher": ("HASHERS", 1),
    "grayscaler": ("GRAYSCALERS", 2),
    "aggregator": ("AGGREGATORS", 1),
}
"""The variable that says how many of each, and how many when it says nothing."""

MOST_OF_ONE = 64


@dataclass(frozen=True)
class Program:
    """One process under the supervisor."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stop_wait_seconds: int = 12


def servers(environment: StackEnvironment, checkout: Checkout) -> list[Program]:
    """What must answer before a service starts."""
    rabbitmq = environment.rabbitmq(checkout.data / "rabbitmq")
    mongodb = environment.mongodb(checkout.data / "mongodb")
    return [
        Program("rabbitmq", rabbitmq.command, rabbitmq.environment, stop_wait_seconds=30),
        Program("mongod", mongodb.command, mongodb.environment, stop_wait_seconds=30),
    ]


def services(environment: StackEnvironment, checkout: Checkout, environ: Mapping[str, str]) -> list[Program]:
    """Our own programs, as many of each worker as `environ` says."""
    told = {"PYTHONUNBUFFERED": "1", "STACK_ENV_DIGEST": environment.digest, **environment.overrides}
    site = {"PYTHONUNBUFFERED": "1", **{name: environment.written[name] for name in ("SAMPLES_HOST", "SAMPLES_PORT")}}
    python = str(checkout.python)
    metrics_port = environment.settings().metrics_port
    return [
        Program("samples", (python, "-m", "samples"), site),
        *(
            Program(
                f"{worker}_{number}",
                (python, "-m", f"services.{worker}"),
                {**told, **_metrics(metrics_port, kind, number)},
            )
            for kind, worker in enumerate(WORKERS)
            for number in range(1, count(worker, environ) + 1)
        ),
        Program("api", (python, "-m", "services.api"), told),
    ]


def _metrics(first_port: int, kind: int, number: int) -> dict[str, str]:
    """Give each worker a port of its own, the same one however many others there are."""
    return {"METRICS_PORT": str(first_port + kind * MOST_OF_ONE + number - 1)} if first_port else {}


def count(worker: str, environ: Mapping[str, str]) -> int:
    """How many of one worker are wanted; raises StackError for what is not a small number."""
    variable, default = WORKERS[worker]
    text = environ.get(variable) or str(default)
    if not (text.isascii() and text.isdigit() and int(text[:4]) <= MOST_OF_ONE):
        raise StackError(f"{variable} must be a number from 0 to {MOST_OF_ONE}, not {text!r}")
    return int(text)
