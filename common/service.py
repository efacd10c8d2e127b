"""What every worker's `__main__` does around its own wiring: settings, logs, signals, exit codes."""

import gc
import logging
import os
import sys
import threading
from collections.abc import Callable

from common import logs
from common.arenas import use_few_arenas
from common.errors import ConfigurationError
from common.exposing import expose
from common.settings import Settings
from common.shutdown import on_termination
from common.worker import Worker

THREAD_DIED = 70
"""The exit code of a worker one of whose threads met a fault of ours (EX_SOFTWARE)."""

log = logging.getLogger(__name__)


def run_worker(name: str, wire: Callable[[Settings], Worker]) -> None:
    """Run a worker until SIGTERM. A bad setting ends the process with one line and code 2, and so do arguments."""
    if len(sys.argv) > 1:
        sys.exit(configuration_error(name, ConfigurationError("a worker takes no arguments, only variables")))
    use_few_arenas()
    try:
        settings = Settings.load()
        logs.configure(settings, name)
        worker = wire(settings)
        threading.excepthook = end_with_thread
        expose(worker, settings)
        on_termination(worker.stop)
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        worker.run()
    except ConfigurationError as error:
        sys.exit(configuration_error(name, error))


def end_with_thread(fault: threading.ExceptHookArgs) -> None:
    """End the process as soon as one of its threads dies: it would hold that thread's messages for ever.

    The broker gives them to others, and whoever manages the process starts it again.
    """
    name = fault.thread.name if fault.thread else "unknown"
    cause = fault.exc_value or fault.exc_type()
    log.critical("thread %s died", name, exc_info=cause)
    logging.shutdown()
    os._exit(THREAD_DIED)


def configuration_error(name: str, error: ConfigurationError) -> int:
    """Say what is wrong in one line, and give the exit code for it."""
    sys.stderr.write(f"{name}: {error}\n")
    return 2
