"""The stack up, changed and down: what is done in which order."""

import http.client
import ipaddress
from collections.abc import Callable, Iterable, Mapping

from common.settings import Settings
from deploy.local import ports
from deploy.local.checkout import Checkout
from deploy.local.configuration import render
from deploy.local.environment import SETTINGS, StackEnvironment, read_stack_env
from deploy.local.errors import StackError
from deploy.local.programs import servers, services
from deploy.local.supervision import DEAD, Process, Supervisor
from deploy.local.waiting import wait_until

SERVER_SECONDS = 60
SERVICE_SECONDS = 30

LISTENERS = {
    "AMQP_PORT": "rabbitmq",
    "AMQP_DIST_PORT": "rabbitmq",
    "EPMD_PORT": "rabbitmq",
    "MONGO_PORT": "mongod",
    "API_PORT": "api",
    "SAMPLES_PORT": "samples",
}


def up(checkout: Checkout, environ: Mapping[str, str], say: Callable[[str], None]) -> StackEnvironment:
    """Make the running stack the one that `environ` asks for; return when it works."""
    before = read_stack_env(checkout.stack_env)
    environment = StackEnvironment.compose(before, environ)
    settings = environment.settings()
    first, then = servers(environment, checkout), services(environment, checkout, environ)
    configuration = render(checkout, [*first, *then])
    supervisor = Supervisor(checkout)
    running = supervisor.processes()
    check_ports(environment, settings, before, running)

    checkout.make_folders()
    if environment.written != before:
        environment.write(checkout.stack_env)
    rabbitmq = environment.rabbitmq(checkout.data / "rabbitmq")
    mongodb = environment.mongodb(checkout.data / "mongodb")
    rabbitmq.prepare()
    mongodb.prepare()
    checkout.supervisor_configuration.touch(mode=0o600)
    checkout.supervisor_configuration.write_text(configuration)
    if running:
        supervisor.adopt_configuration()
    else:
        supervisor.launch(inherited(environ))

    known = supervisor.processes()
    if not all(known[program.name].pid for program in first):
        say("starting RabbitMQ and MongoDB…")
    watch = start(supervisor, checkout, [program.name for program in first])
    mongodb.wait_until_ready(SERVER_SECONDS, watch)
    mongodb.ensure_user()
    rabbitmq.wait_until_ready(SERVER_SECONDS, watch)

    if not all(known[program.name].pid for program in then):
        say("starting the services…")
    names = [program.name for program in then]
    watch = start(supervisor, checkout, names)
    wait_until(lambda: all_running(supervisor, names), SERVICE_SECONDS, "a service", watch)
    wait_until(lambda: api_is_ready(settings), SERVICE_SECONDS, "the API's /ready", watch)
    return environment


def down(checkout: Checkout) -> bool:
    """Stop everything that `up` started, services first; tell whether there was anything."""
    supervisor = Supervisor(checkout)
    if not supervisor.is_running():
        return False
    supervisor.stop(supervisor.processes().keys() - {"rabbitmq", "mongod"})
    supervisor.stop(["rabbitmq", "mongod"])
    supervisor.shutdown()
    return True


def check_ports(
    environment: StackEnvironment, settings: Settings, before: Mapping[str, str], running: Mapping[str, Process]
) -> None:
    """Raise StackError for the ports that are needed and that somebody else listens on."""
    hosts = {"api": settings.api_host, "samples": environment.written["SAMPLES_HOST"]}
    taken = []
    for variable, program in LISTENERS.items():
        port, host = environment.port(variable), hosts.get(program, ports.LOOPBACK)
        ours = program in running and running[program].pid and before.get(variable) == str(port)
        if not ours and ports.is_taken(host, port):
            taken.append(f"port {port} on {host} (choose another with {variable}=)")
    if taken:
        raise StackError(f"taken by another program: {', '.join(taken)}")


def start(supervisor: Supervisor, checkout: Checkout, names: Iterable[str]) -> Callable[[], None]:
    """Start programs; give a check that raises StackError, with its last words, once one of them has died."""
    supervisor.start(names)
    pids = {name: process.pid for name, process in supervisor.processes().items() if name in names}

    def raise_if_one_died() -> None:
        known = supervisor.processes()
        for name, pid in pids.items():
            if name not in known or known[name].state in DEAD or known[name].pid != pid:
                log = checkout.log(name)
                raise StackError(f"{name} ended: {last_line(log.read_text(errors='replace'))} (all of it: {log})")

    return raise_if_one_died


def all_running(supervisor: Supervisor, names: Iterable[str]) -> bool:
    """Tell whether every one has lived long enough to count."""
    known = supervisor.processes()
    return all(known[name].state == "RUNNING" for name in names)


def api_is_ready(settings: Settings) -> bool:
    """Ask the API."""
    connection = http.client.HTTPConnection(reachable(settings.api_host), settings.api_port, timeout=5)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def reachable(host: str) -> str:
    """Give the address to ask when a server listens on `host`, which may stand for all addresses."""
    try:
        return ports.LOOPBACK if ipaddress.ip_address(host).is_unspecified else host
    except ValueError:
        return host


def inherited(environ: Mapping[str, str]) -> dict[str, str]:
    """Give what all programs may see: settings are handed to each by name, and other brokers' are not ours."""
    foreign = ("RABBITMQ_", "ERL_")
    return {name: value for name, value in environ.items() if name not in SETTINGS and not name.startswith(foreign)}


def last_line(text: str) -> str:
    """Give the last line that says something."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "it said nothing")
