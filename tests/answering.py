"""The server that the API runs in, on this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


@contextmanager
def answering(server: Any) -> Iterator[int]:
    """Have a server of waitress answer for the length of a `with` block; gives its port."""
    thread = threading.Thread(target=server.run, name="api", daemon=True)
    thread.start()
    try:
        yield server.effective_port
    finally:
        server.task_dispatcher.shutdown()
        # By its own thread, which may be waiting for these very sockets.
        server.trigger.pull_trigger(partial(_close, server))
        thread.join(30)
    assert not thread.is_alive()


def _close(server: Any) -> None:
    for channel in list(server.active_channels.values()):
        channel.handle_close()
    server.close()
