"""Requests on accepted connections in, the routes' answers on the same connections out."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qsl

from samples.answer import Answer, RefusalError, text
from samples.behaviour.refusals import not_found
from samples.route import find
from samples.routes import ROUTES
from samples.visit import Memory, Visit
from samples.wire import SiteEndingError, Wire

IDLE_SECONDS = 120
LONGEST_TARGET = 8_192
MOST_QUERY_FIELDS = 10
WAITING_CONNECTIONS = 256


class Conversation(BaseHTTPRequestHandler):
    """One connection: the standard library reads the requests, a Wire takes the answers."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Site

    def do_GET(self) -> None:
        """Answer one request as the table of routes says."""
        answer = self._decide()
        if self.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # a body that nobody reads would be taken for the next request
        wire = Wire(self.connection, self.server.ending)
        head = answer.head("close" if self.close_connection else "keep-alive")
        try:
            if self.command == "HEAD":
                wire.write(head)
            else:
                answer.delivery(wire, head, answer.body)
        except (OSError, SiteEndingError):
            self.close_connection = True  # the client has gone, or the site is going
        if wire.is_over:
            self.close_connection = True

    do_HEAD = do_GET  # noqa: N815  likewise
    do_DELETE = do_GET  # noqa: N815  likewise

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the parent's name
        """Stay quiet: /requests.json is the account of what was asked for."""

    def _decide(self) -> Answer:
        if len(self.path) > LONGEST_TARGET:
            return text("too long", HTTPStatus.REQUEST_URI_TOO_LONG)
        path, _, query = self.path.partition("?")
        memory = self.server.memory
        found = find(ROUTES, self.command, path)
        if found is None or found[0].is_counted:
            memory.requests.count(path)
        if found is None:
            return not_found(Visit({}, {}, memory))
        route, parts = found
        try:
            fields = dict(parse_qsl(query, max_num_fields=MOST_QUERY_FIELDS))
        except ValueError:
            return text("too many fields", HTTPStatus.BAD_REQUEST)
        try:
            return route.answer(Visit(parts, fields, memory))
        except RefusalError as error:
            return error.answer


class Site(ThreadingHTTPServer):
    """The listening socket, a thread for each connection, and an end that leaves none of them behind."""

    daemon_threads = False  # so that server_close() joins them
    request_queue_size = WAITING_CONNECTIONS

    def __init__(self, host: str, port: int) -> None:
        self.memory = Memory()
        self.ending = Event()
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__((host, port), Conversation)

    @property
    def base_url(self) -> str:
        """Where the site is reached, without a slash at the end."""
        host, port = self.server_address[:2]
        return f"http://{host!s}:{port}"

    def server_bind(self) -> None:
        """Bind without the parent's look-up of the host's full name, which asks a name server."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection and give it to a thread."""
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no error of this site; anything else is reported."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def end(self) -> None:
        """Accept no more, interrupt every wait, and close every connection."""
        self.ending.set()
        self.shutdown()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


@contextmanager
def serving(host: str, port: int) -> Iterator[Site]:
    """A site that answers in a thread of its own until the block ends."""
    site = Site(host, port)
    thread = Thread(target=site.serve_forever, args=(0.05,), name="samples")
    thread.start()
    try:
        yield site
    finally:
        site.end()
        thread.join()
