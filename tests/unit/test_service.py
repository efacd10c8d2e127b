"""What every worker does around its own work."""

import subprocess
import sys

DIES = """
import threading
from common.service import end_with_thread

def work():
    raise KeyError("out of place")

threading.excepthook = end_with_thread
threading.Thread(target=work, name="hasher-1", daemon=True).start()
threading.Event().wait(30)
"""


def test_a_worker_ends_with_a_thread_of_its_own_that_dies() -> None:
    ended = subprocess.run([sys.executable, "-c", DIES], capture_output=True, text=True, check=False, timeout=25)
    assert ended.returncode == 70
    assert "thread hasher-1 died" in ended.stderr
    assert "KeyError: 'out of place'" in ended.stderr
