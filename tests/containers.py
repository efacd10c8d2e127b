"""RabbitMQ and MongoDB for tests out of the images that docker-compose.yml names, where an engine has them."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from dotenv import dotenv_values

from deploy.local.mongodb import MongoDB
from deploy.local.ports import LOOPBACK
from deploy.local.rabbitmq import RabbitMQ
from deploy.local.waiting import nothing

ROOT = Path(__file__).parents[1]
START_SECONDS = 60
ENGINE_SECONDS = 10


@cache
def image(variable: str) -> str:
    """Give the image that docker-compose would take: of the environment, of .env, or the file's default."""
    [default] = set(re.findall(rf"\$\{{{variable}:-([^}}]+)\}}", (ROOT / "docker-compose.yml").read_text()))
    return os.environ.get(variable) or dotenv_values(ROOT / ".env").get(variable) or default


@cache
def are_used() -> bool:
    """Tell whether the servers run in containers: TEST_SERVERS says so, or an engine has both images."""
    wanted = os.environ.get("TEST_SERVERS", "")
    if wanted not in ("", "containers", "local"):
        raise ValueError(f"TEST_SERVERS is {wanted!r}; it can be containers, local")
    return wanted == "containers" or (not wanted and _are_there(image("RABBITMQ_IMAGE"), image("MONGO_IMAGE")))


def _are_there(*images: str) -> bool:
    try:
        command = ["docker", "image", "inspect", *images]
        return subprocess.run(command, capture_output=True, check=False, timeout=ENGINE_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def description() -> str:
    """Say in a line where the servers run."""
    if are_used():
        return f"servers: containers of {image('RABBITMQ_IMAGE')} and {image('MONGO_IMAGE')}"
    return "servers: local processes (no container engine has their images, or TEST_SERVERS=local)"


@contextmanager
def rabbitmq(folder: Path) -> Iterator[RabbitMQ]:
    """Run a broker in a container."""
    settings = {
        "RABBITMQ_DEFAULT_USER": "graymill",
        "RABBITMQ_DEFAULT_PASS": "graymill",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
    }
    configuration = str(ROOT / "deploy/compose/rabbitmq.conf"), "/etc/rabbitmq/conf.d/20-graymill.conf", "ro"
    with _container(image("RABBITMQ_IMAGE"), 5672, settings, [configuration]) as port:
        server = RabbitMQ(folder=folder, port=port, distribution_port=0, epmd_port=0)
        server.wait_until_ready(START_SECONDS, nothing)
        yield server


@contextmanager
def mongodb(folder: Path) -> Iterator[MongoDB]:
    """Run a database server in a container."""
    with _container(image("MONGO_IMAGE"), 27017, {}, []) as port:
        server = MongoDB(folder=folder, port=port)
        server.wait_until_ready(START_SECONDS, nothing)
        yield server


@contextmanager
def _container(name: str, port: int, environment: dict[str, str], volumes: list[tuple[str, str, str]]) -> Iterator[int]:
    """Have a container; gives the port on this host's loopback that leads to the one inside."""
    # Its helper, which removes what a killed test run leaves, is an image that cannot be pulled everywhere.
    os.environ["TESTCONTAINERS_RYUK_DISABLED"] = "true"
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - reads the environment at import

    limits = [{"Name": "nofile", "Soft": 16384, "Hard": 16384}]  # Erlang sets memory aside for every file
    container = DockerContainer(name, env=environment, volumes=volumes, ulimits=limits)
    # On loopback alone, at a free port: `with_bind_ports` has no way to say so, docker's own client has.
    container.ports[f"{port}/tcp"] = (LOOPBACK, None)  # type: ignore[assignment]
    client = container.get_docker_client().client
    try:
        with container:
            yield int(container.get_exposed_port(port))
    finally:
        client.close()
