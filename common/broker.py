"""How RabbitMQ is connected to, and its topology declared."""

import random
from collections.abc import Iterator

import pika
import pika.exceptions
from pika.adapters.utils.connection_workflow import AMQPConnectorException

from common.errors import ConfigurationError, Unavailable
from common.settings import Settings
from common.topology import Topology

CONNECTION_ERRORS = (pika.exceptions.AMQPError, AMQPConnectorException, OSError)
"""The second are of a connection that does not come about, such as one whose other end says nothing."""
RESET_AT_ONCE = "the connection was reset just as it was made"
"""For which pika has a ValueError."""


def parameters(settings: Settings, application: str) -> pika.URLParameters:
    """Read AMQP_URL; raises ConfigurationError when it is not one.

    Of pika's defaults, one attempt to connect stays (the loop around it is ours); the time-outs that are endless
    by default are set.
    """
    try:
        result = pika.URLParameters(settings.amqp_url)
    except (ValueError, TypeError, IndexError) as error:
        raise ConfigurationError(f"AMQP_URL: {error}") from error
    result.heartbeat = settings.amqp_heartbeat_seconds
    result.socket_timeout = 5
    result.stack_timeout = 8
    result.blocked_connection_timeout = None  # a blocked broker is waited for: the connection is alive
    result.client_properties = {"connection_name": application}
    return result


def declare(connection_parameters: pika.URLParameters, topology: Topology) -> None:
    """Declare the topology over a connection of its own; raises Unavailable or ConfigurationError."""
    try:
        connection = open_connection(connection_parameters)
        try:
            topology.declare(connection.channel())
        finally:
            if connection.is_open:
                connection.close()
    except CONNECTION_ERRORS as error:
        raise Unavailable(f"RabbitMQ: {describe(error)}") from error


def open_connection(connection_parameters: pika.URLParameters) -> pika.BlockingConnection:
    """Connect; raises one of CONNECTION_ERRORS."""
    try:
        return pika.BlockingConnection(connection_parameters)
    except ValueError as error:
        raise ConnectionError(RESET_AT_ONCE) from error


def describe(error: BaseException | None) -> str:
    """Say in a line what pika's error means; several of them have an empty text."""
    causes = getattr(error, "args", ())
    inner = next((cause for cause in causes if isinstance(cause, BaseException)), None)
    text = describe(inner) if inner else str(error)
    return text if text.strip("()") else type(error).__name__


def backoff(longest_seconds: float = 5.0) -> Iterator[float]:
    """Give the waits between tries: doubling from half a second, with jitter so that workers do not fall in step."""
    seconds = 0.5
    while True:
        yield seconds * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
        seconds = min(seconds * 2, longest_seconds)
