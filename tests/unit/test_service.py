"""What every worker does around its own work."""

import subprocess
import sys

import pytest

from common.service import run_worker

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


def test_a_worker_that_is_given_arguments_says_that_it_takes_none(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["fetcher", "publish", "urls.txt"])
    with pytest.raises(SystemExit) as end:
        run_worker("fetcher", pytest.fail)
    assert end.value.code == 2
    assert capsys.readouterr().err == "fetcher: a worker takes no arguments, only variables\n"
