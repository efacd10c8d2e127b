"""The API: `python -m services.api`."""

import logging
import socket
import sys
import threading
from typing import Any

from flask import Flask
from waitress.server import create_server

from common import logs
from common.broker import parameters
from common.database import connect
from common.errors import ConfigurationError
from common.publisher import Publisher
from common.service import configuration_error
from common.settings import Settings
from common.shutdown import on_termination
from common.topology import Topology
from services.api.app import create_app
from services.api.refusing import ProblemChannel
from services.api.request_log import RequestId
from services.api.watching import chores, watch

NAME = "api"
STALLED_SECONDS = 60.0
"""A client that takes nothing for so long is given up: while it reads an archive, it keeps a thread."""
log = logging.getLogger(__name__)


def run(settings: Settings, stopping: threading.Event) -> None:
    """Connect, and serve until told to stop; requests under way are given five seconds."""
    database = connect(settings.mongo_url, application=NAME, pool_size=settings.api_threads + 3)
    publisher = Publisher(NAME, parameters(settings, NAME), Topology.of(settings))
    todo = chores(database, publisher, stalled_seconds=settings.stalled_seconds)
    threading.Thread(target=watch, args=(todo, stopping), name="watching", daemon=True).start()
    try:
        serve(create_app(settings, database, publisher), settings, stopping)
    finally:
        publisher.close()


def serve(app: Flask, settings: Settings, stopping: threading.Event) -> None:
    """Answer requests until told to stop. Raises ConfigurationError when the address cannot be listened on."""
    try:
        server = create_server(
            app,
            host=settings.api_host,
            port=settings.api_port,
            threads=settings.api_threads,
            # The application refuses what is too large with a sentence; this is for what is far too large.
            max_request_body_size=4 * settings.api_max_body_bytes,
            clear_untrusted_proxy_headers=not settings.api_trusted_proxies,
            ident=None,
        )
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"API_HOST, API_PORT: cannot listen there: {error}") from error
    server.channel_class = ProblemChannel
    give_up_stalled(server, STALLED_SECONDS)

    def answer() -> None:
        try:
            server.run()
        finally:
            stopping.set()

    threading.Thread(target=answer, name="server", daemon=True).start()
    log.info("listening on http://%s:%d", settings.api_host, settings.api_port)
    warn(settings)
    stopping.wait()
    server.task_dispatcher.shutdown()


def warn(settings: Settings) -> None:
    """Say who may write, where it is nobody or everybody."""
    if settings.api_writes == "open":
        log.warning("API_WRITES=open: who reaches this address may hand in, retry and delete")
    elif not settings.api_keys:
        log.warning("API_KEYS is not set: nothing can be handed in, retried or deleted")


def give_up_stalled(server: Any, seconds: float) -> None:
    """Have the system close connections whose client has taken nothing for so long (Linux tells of none otherwise)."""
    option = (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(1000 * seconds))
    server.adj.socket_options = [*server.adj.socket_options, option]


def main() -> int:
    """Read the settings and run; a bad setting is told in one line."""
    try:
        settings = Settings.load()
        logs.configure(settings, NAME)
        for handler in logging.getLogger().handlers:
            handler.addFilter(RequestId())
        stopping = threading.Event()
        on_termination(stopping.set)
        run(settings, stopping)
    except ConfigurationError as error:
        return configuration_error(NAME, error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
