"""docker-compose.yml for tests, as a project of its own beside whatever else runs: own ports, volumes, networks."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from dotenv import dotenv_values

from deploy.local.ports import free_ports
from tests.fleet import eventually

ROOT = Path(__file__).parents[1]
COMPOSE = str(ROOT / "deploy" / "compose" / "compose.sh")
HEALTHY_SECONDS = 60.0
NO_ENGINE = 3
PUBLISH = ("publish", "-", "--wait", "--json")
SINGLE = ("docker-compose.yml",)
CLUSTER = (*SINGLE, "docker-compose.cluster.yml")


def run(*command: str, **options: Any) -> str:
    """Run a command; gives what it printed, and fails with all that it said."""
    result: subprocess.CompletedProcess[str] = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, **options
    )
    assert result.returncode == 0, f"{command}: {result.stderr[-2000:]}{result.stdout[-1000:]}"
    return result.stdout


def ready_engine() -> None:
    """See to it that an engine answers and the base images are there; skip the test where no engine can be had."""
    engine = subprocess.run([ROOT / "deploy/compose/engine.sh"], capture_output=True, text=True, check=False)
    if engine.returncode == NO_ENGINE:
        pytest.skip(engine.stderr.strip())
    run("deploy/compose/bases.sh")


class Project:
    """One set of containers; with the profiles for the sample site and for ports on this host."""

    def __init__(self, files: Sequence[str] = SINGLE, *, healthy_seconds: float = HEALTHY_SECONDS) -> None:
        self._healthy_seconds = healthy_seconds
        self.name = f"graymill-test-{secrets.token_hex(3)}"
        self.api_port, self.amqp_port, self.mongo_port = free_ports(3)
        net = f"198.18.{secrets.randbelow(256)}"
        self.api_key = secrets.token_hex(16)
        self.environment = {
            **os.environ,
            "COMPOSE_FILE": os.pathsep.join(files),
            "COMPOSE_PROJECT_NAME": self.name,
            "COMPOSE_PROFILES": "samples,host",
            "API_KEYS": self.api_key,
            "API_PUBLISH_HOST": "127.0.0.1",
            "API_PUBLISH_PORT": str(self.api_port),
            "AMQP_PORT": str(self.amqp_port),
            "MONGO_PORT": str(self.mongo_port),
            "SAMPLES_NET": net,
            "FETCH_ALLOW_NETS": f"{net}.2/32",
            "RETRY_DELAYS_SECONDS": "1,2,4",
        }
        written = {**dotenv_values(ROOT / ".env"), **os.environ}
        self.amqp_url = f"amqp://graymill:{written['RABBITMQ_PASSWORD']}@127.0.0.1:{self.amqp_port}/%2F"
        self.mongo_password = written["MONGO_PASSWORD"]
        self.mongo_url = (
            f"mongodb://graymill:{self.mongo_password}@127.0.0.1:{self.mongo_port}/graymill?authSource=admin"
        )

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def compose(self, *arguments: str, **options: Any) -> str:
        return run(COMPOSE, *arguments, env=self.environment, **options)

    def up(self, **scale: int) -> None:
        """Start it, or make it what `scale` asks for, and wait until every container is healthy."""
        scales = [f"--scale={service}={count}" for service, count in scale.items()]
        self.compose("up", "-d", *scales)
        eventually(
            lambda: not self.unhealthy(), deadline_seconds=self._healthy_seconds, what="every container is healthy"
        )

    def down(self, *options: str) -> None:
        self.compose("down", *options)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """What the engine knows of the project's containers, or of one service's."""
        labels = [f"label=com.docker.compose.project={self.name}"]
        labels += [f"label=com.docker.compose.service={service}"] if service else []
        ids = run("docker", "ps", "-aq", *(f"--filter={label}" for label in labels)).split()
        found: list[dict[str, Any]] = json.loads(run("docker", "inspect", *ids)) if ids else []
        return sorted(found, key=lambda container: str(container["Name"]))

    def unhealthy(self) -> list[str]:
        """Name the containers that are not as they should be; all of them when there are none."""
        return [
            f"{service_of(container)}: {container['State']['Status']}"
            for container in self.containers()
            if container["State"].get("Health", {"Status": container["State"]["Status"]})["Status"]
            not in ("healthy", "running")
            and not has_done_its_work(container)
        ]

    def publishing(self, urls: Sequence[str]) -> "subprocess.Popen[str]":
        """Start to publish through the command line of this checkout, so that any container can be killed meanwhile."""
        command = [str(Path(sys.executable).parent / "fetcher"), *PUBLISH]
        return started(command, urls, {**os.environ, "AMQP_URL": self.amqp_url, "MONGO_URL": self.mongo_url})

    def publishing_inside(self, urls: Sequence[str]) -> "subprocess.Popen[str]":
        """Start to publish through the command line in the fetcher's container."""
        return started([COMPOSE, "exec", "-T", "fetcher", "fetcher", *PUBLISH], urls, self.environment)


def started(command: Sequence[str], urls: Sequence[str], environment: dict[str, str]) -> "subprocess.Popen[str]":
    """Start a command and give it all of the list."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write("\n".join(urls))
    process.stdin.close()
    process.stdin = None
    return process


def has_done_its_work(container: dict[str, Any]) -> bool:
    """Tell whether it is one of those that end by themselves, and did so well."""
    once = container["HostConfig"]["RestartPolicy"]["Name"] in ("", "no")
    return once and container["State"]["Status"] == "exited" and container["State"]["ExitCode"] == 0


def service_of(container: dict[str, Any]) -> str:
    return str(container["Config"]["Labels"]["com.docker.compose.service"])
