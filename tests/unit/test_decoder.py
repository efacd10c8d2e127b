"""Whatever an image does to the process that decodes it, it costs that process and no more."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial

import psutil
import pytest
from PIL import Image

from common.errors import Permanent, Poison, Unavailable
from common.metrics import DECODER_ENDS
from common.reasons import Reason
from services.grayscaler.decoder import Decoder
from services.grayscaler.exchange import Answer, GrayVersion, Limits
from services.grayscaler.gray_version import gray_version
from tests import failing_decoder
from tests.decoding import decoders, ends
from tests.failing_decoder import image_with
from tests.fleet import eventually
from tests.unit.gray_oracle import CASES, saved
from tests.unit.mutations import small_images

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow's advice, nothing that concerns pixels

MEBIBYTE = 1024 * 1024
LIMITS = Limits(("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"), 40_000_000, 15 * MEBIBYTE)
GOOD = saved(Image.linear_gradient("L"), "PNG")
Start = Callable[..., Decoder]


@pytest.fixture
def start() -> Iterator[Start]:
    """Give decoders that are closed after the test."""
    decoders: list[Decoder] = []

    def started(*, seconds: float = 30.0, memory_bytes: int = 832 * MEBIBYTE, module: str = "") -> Decoder:
        named = {"module": module} if module else {}
        decoders.append(Decoder(LIMITS, seconds=seconds, memory_bytes=memory_bytes, **named))
        return decoders[-1]

    yield started
    for decoder in decoders:
        decoder.close()


@pytest.fixture
def failing(start: Start) -> Start:
    """Give decoders with the faults of `tests.failing_decoder`."""
    return partial(start, module="tests.failing_decoder")


def process() -> psutil.Process:
    [child] = decoders()
    return child


@pytest.fixture(autouse=True)
def _from_nought() -> None:
    DECODER_ENDS.clear()


def is_gray(answer: Answer) -> bool:
    return isinstance(answer, GrayVersion)


def test_what_comes_back_is_what_decoding_here_gives(start: Start) -> None:
    bodies = [case(random.Random(name)).body for name, case in CASES.items()]
    bodies += [body for files in small_images().values() for body in files]
    bodies.append(saved(Image.new("LAB", (30, 20), (9, 100, 80)), "TIFF"))
    assert start().decode(bodies) == [gray_version(body, LIMITS) for body in bodies]
    assert ends() == {}


def test_what_is_refused_here_is_refused_there(start: Start) -> None:
    bodies = [
        b"",
        b"\0",
        b"no image",
        GOOD[: len(GOOD) // 2],
        saved(Image.new("F", (2, 2)), "TIFF"),
        "Ä".encode() * 999,
    ]
    expected = []
    for body in bodies:
        with pytest.raises(Permanent) as refused:
            gray_version(body, LIMITS)
        expected.append((refused.value.reason, refused.value.detail[:500]))
    answers = start().decode(bodies)
    assert [(answer.reason, answer.detail) for answer in answers if isinstance(answer, Permanent)] == expected


@pytest.mark.parametrize("fault", ["CRASHING", "ABORTING", "LEAVING", "DEAF", "LYING", "HUGE", "UNUSUAL"])
def test_what_kills_the_decoder_twice_is_poison_and_its_neighbours_are_not(failing: Start, fault: str) -> None:
    poison = image_with(getattr(failing_decoder, fault))
    answers = failing().decode([GOOD, GOOD, poison, GOOD])
    assert [is_gray(answer) for answer in answers] == [True, True, False, True]
    assert isinstance(answers[2], Poison)
    assert str(answers[2])
    assert ends() == {"crash": 2}


def test_a_decoding_that_does_not_end_is_ended(failing: Start) -> None:
    answers = failing(seconds=0.5).decode([GOOD, image_with(failing_decoder.ENDLESS), GOOD])
    assert [is_gray(answer) for answer in answers] == [True, False, True]
    assert ends() == {"time": 2}
    assert len(decoders()) == 1


def test_each_of_several_poisons_is_found(failing: Start) -> None:
    poison = image_with(failing_decoder.CRASHING)
    answers = failing().decode([poison, GOOD, poison, poison, GOOD, GOOD])
    assert [type(answer) for answer in answers] == [Poison, GrayVersion, Poison, Poison, GrayVersion, GrayVersion]


def test_a_decoder_killed_from_outside_costs_nothing(start: Start) -> None:
    decoder = start()
    decoder.decode([GOOD])
    killed = process()
    killed.kill()
    assert [is_gray(answer) for answer in decoder.decode([GOOD, GOOD])] == [True, True]
    assert process().pid != killed.pid
    assert ends() == {"crash": 1}


def many_scans(count: int) -> bytes:
    """Make a progressive JPEG of 36 MP whose last scan comes again and again, each time a pass over all of it."""
    body = saved(Image.new("L", (6_000, 6_000), 77), "JPEG", progressive=True)
    last = body.rindex(b"\xff\xda")
    return body[:-2] + body[last:-2] * count + body[-2:]


def test_a_real_file_that_takes_too_long_is_poison(start: Start) -> None:
    body = many_scans(3_000)
    assert len(body) < 5 * MEBIBYTE
    [answer] = start(seconds=1.0).decode([body])
    assert isinstance(answer, Poison)
    assert ends() == {"time": 2}


def test_a_real_file_that_needs_too_much_memory_does_not_decode(start: Start) -> None:
    decoder = start(memory_bytes=64 * MEBIBYTE)
    large = saved(Image.new("RGB", (6_000, 6_000)), "PNG")
    answers = decoder.decode([GOOD, large, GOOD])
    assert [is_gray(answer) for answer in answers] == [True, False, True]
    assert isinstance(answers[1], Permanent)
    assert answers[1].reason is Reason.DECODE
    assert "memory" in answers[1].detail
    assert ends() == {"memory": 2}


def test_the_decoder_has_nothing_that_it_does_not_need(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMQP_URL", "amqp://graymill:secret@broker/")
    start().decode([GOOD])
    child = process()
    assert set(child.environ()) <= {"PYTHONPATH", "OPENBLAS_NUM_THREADS", "LC_CTYPE"}
    assert child.net_connections("inet") == []
    assert sorted(os.listdir(f"/proc/{child.pid}/fd"), key=int) == ["0", "1", "2"]  # noqa: PTH208
    assert [os.readlink(f"/proc/{child.pid}/fd/{number}") for number in (1, 2)] == ["/dev/null"] * 2  # noqa: PTH115
    for limit in (psutil.RLIMIT_NOFILE, psutil.RLIMIT_FSIZE, psutil.RLIMIT_CORE, psutil.RLIMIT_NPROC):
        assert child.rlimit(limit) == (0, 0)
    most, _ = child.rlimit(psutil.RLIMIT_AS)
    assert 832 * MEBIBYTE < most < 1400 * MEBIBYTE


def test_the_decoder_is_not_told_to_end_by_what_ends_a_worker(start: Start) -> None:
    decoder = start()
    decoder.decode([GOOD])
    child = process()
    child.send_signal(signal.SIGTERM)
    child.send_signal(signal.SIGINT)
    assert [is_gray(answer) for answer in decoder.decode([GOOD])] == [True]
    assert process().pid == child.pid


@pytest.mark.parametrize("fault", ["0", "ENDLESS"])
def test_the_decoder_ends_with_its_worker_even_in_the_middle(fault: str) -> None:
    script = f"""
import sys
from tests.unit.test_decoder import *
decoder = Decoder(LIMITS, seconds=60, memory_bytes=MEBIBYTE * 100, module="tests.failing_decoder")
decoder.decode([GOOD])
print(process().pid, flush=True)
if {fault!r} != "0":
    decoder.decode([image_with(failing_decoder.ENDLESS)])
sys.stdin.read()
"""
    worker = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    )
    with worker:
        assert worker.stdout is not None
        pid = int(worker.stdout.readline())
        assert psutil.pid_exists(pid)
        worker.kill()
    eventually(lambda: not psutil.pid_exists(pid), what="the decoder is gone")


def test_without_a_process_to_be_had_the_images_wait(start: Start) -> None:
    decoder = start(module="tests.no_such_decoder")
    for _ in range(2):
        with pytest.raises(Unavailable, match="does not start"):
            decoder.decode([GOOD])
    assert decoders() == []
    assert ends() == {}


def test_large_and_small_images_go_through_in_order(start: Start) -> None:
    chance = random.Random(8)
    sizes = [chance.choice([(3, 2), (40, 50), (500, 400), (900, 1_000)]) for _ in range(40)]
    bodies = [saved(Image.frombytes("L", size, chance.randbytes(size[0] * size[1])), "PNG") for size in sizes]
    answers = start().decode(bodies)
    assert [(answer.width, answer.height) for answer in answers if isinstance(answer, GrayVersion)] == sizes
    assert start().decode([]) == []
