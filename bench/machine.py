"""What the figures were measured with."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.peers.environment import pins
from bench.tools import LIMIT, OURS, TOOLS
from deploy.local.mongodb import MONGOD


def machine() -> dict[str, Any]:
    """Give the cores, the processor and the memory."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    return {
        "cores": os.cpu_count(),
        "processor": model[1] if model else platform.machine(),
        "memory_gigabytes": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
    }


def versions() -> dict[str, str]:
    """Give the versions of everything that takes part."""
    brokers = sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*"))
    found = {
        "python": platform.python_version(),
        OURS: version("graymill"),
        "rabbitmq": brokers[-1].name.partition("-")[2] if brokers else "unknown",
        "mongod": _printed(str(MONGOD), "--version", pattern=r"db version v(\S+)"),
        "pillow": version("pillow"),
        "numpy": version("numpy"),
    }
    for tool in TOOLS:
        if tool.name not in (OURS, LIMIT):
            found[tool.name] = pins(tool.name).get(tool.name, "of this project")
    return found


def _printed(*command: str, pattern: str) -> str:
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603 - ours
    match = re.search(pattern, text)
    return match[1] if match else "unknown"
