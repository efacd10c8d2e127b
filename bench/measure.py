"""One run of one command: its time, what it and the processes beside it used, and what else the machine did."""

import os
import resource
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from bench.corpus import ROOT
from bench.noise import Moment, noise
from bench.stack import SERVERS
from bench.usage import MemoryWatch, all_cpu_seconds

COMMAND = "command"
"""By this name the command itself, with all that it started, stands among the processes."""
PATIENCE_SECONDS = 600


class CommandFailed(Exception):
    """A run that is worth nothing; says why."""


@dataclass(frozen=True)
class Run:
    """What was measured. Processes of which there are several are added up under one name."""

    images: int
    seconds: float
    cpu_seconds: Mapping[str, float]
    peak_mebibytes: float
    """Resident, of all the processes together."""
    peak_without_servers_mebibytes: float
    noise: float
    """Share of the cores' time that went to anything else on this machine."""


def measure(
    command: Sequence[str],
    environment: Mapping[str, str],
    beside: Mapping[str, psutil.Process],
    *,
    images: int,
    log: Path,
) -> Run:
    """Run a command to its end. Raises CommandFailed.

    `beside` are the processes that run already and work for the command.
    """
    cpu_before, command_before, before = all_cpu_seconds(beside), _cpu_of_ended(), Moment.now()
    with log.open("wb") as output:
        process = psutil.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    with MemoryWatch({**beside, COMMAND: process}, servers=SERVERS) as memory:
        _wait(process, log)
    after = Moment.now()
    cpu = {COMMAND: _cpu_of_ended() - command_before}
    for name, seconds in all_cpu_seconds(beside).items():
        service = name.partition(" ")[0]
        cpu[service] = cpu.get(service, 0.0) + seconds - cpu_before[name]
    return Run(
        images,
        after.seconds - before.seconds,
        cpu,
        memory.peak_mebibytes,
        memory.peak_without_servers_mebibytes,
        noise(before, after, cores=os.cpu_count() or 1),
    )


def _cpu_of_ended() -> float:
    """Give the CPU seconds of the children that have ended and of theirs: during a run, no other child ends."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _wait(process: psutil.Popen, log: Path) -> None:
    try:
        code = process.wait(PATIENCE_SECONDS)
    except psutil.TimeoutExpired as error:
        raise CommandFailed(f"not done after {PATIENCE_SECONDS} s") from error
    finally:
        # What it started and left behind, too.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    if code != 0:
        lines = log.read_text("utf-8", errors="replace").strip().splitlines()
        raise CommandFailed(f"ended with {code}: {lines[-1] if lines else 'no output'}")
