"""What every worker's `__main__` does around its own wiring: settings, logs, signals, exit codes."""

import gc
import sys
from collections.abc import Callable

from common import logs
from common.errors import ConfigurationError
from common.exposing import expose
from common.settings import Settings
from common.shutdown import on_termination
from common.worker import Worker


def run_worker(name: str, wire: Callable[[Settings], Worker]) -> None:
    """Run a worker until SIGTERM. A bad setting ends the process with one line and code 2."""
    try:
        settings = Settings.load()
        logs.configure(settings, name)
        worker = wire(settings)
        expose(worker, settings)
        on_termination(worker.stop)
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        worker.run()
    except ConfigurationError as error:
        sys.exit(configuration_error(name, error))


def configuration_error(name: str, error: ConfigurationError) -> int:
    """Say what is wrong in one line, and give the exit code for it."""
    sys.stderr.write(f"{name}: {error}\n")
    return 2
