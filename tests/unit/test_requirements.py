"""What the images install is what was tested: the same versions as in the lock file of development."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
NOT_TESTED_WITH = {"setuptools"}  # only makes the console scripts of the images


def pins(lock: Path) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_service_is_built_with_the_versions_it_was_tested_with(lock: Path) -> None:
    tested = set(pins(ROOT / "requirements-dev.lock"))
    assert {pin for pin in pins(lock) if pin[0] not in NOT_TESTED_WITH} <= tested


def test_every_service_has_a_lock_of_what_its_group_names() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    services = {path.parent.name for path in (ROOT / "services").glob("*/__main__.py")}
    locked = {lock.stem: {name for name, _ in pins(lock)} for lock in LOCKS}
    assert services <= set(locked)
    for name, packages in locked.items():
        assert {re.split(r"[<>=]", package)[0] for package in groups[name]} <= packages
