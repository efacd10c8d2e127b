"""What the images install is what was tested: the same versions as in the lock file of development."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.sources import ROOT, imported_by

LOCKS = sorted((ROOT / "requirements").glob("*.lock"))
SERVICES = sorted(path.parent.name for path in (ROOT / "services").glob("*/__main__.py"))
NOT_TESTED_WITH = {"setuptools"}  # only makes the console scripts of the images


def pins(lock: Path) -> Iterator[tuple[str, str]]:
    yield from re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.stem)
def test_a_service_is_built_with_the_versions_it_was_tested_with(lock: Path) -> None:
    tested = set(pins(ROOT / "requirements-dev.lock"))
    assert {pin for pin in pins(lock) if pin[0] not in NOT_TESTED_WITH} <= tested


def test_every_service_has_a_lock_of_what_its_group_names() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    locked = {lock.stem: {name for name, _ in pins(lock)} for lock in LOCKS}
    assert set(SERVICES) <= set(locked)
    for name, packages in locked.items():
        assert {re.split(r"[<>=]", package)[0] for package in groups[name]} <= packages


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_has_what_its_service_imports(service: str) -> None:
    known = packages_distributions()
    packages = {package for module in imported_by(service) for package in known.get(module, [])}
    locked = {name for name, _ in pins(ROOT / "requirements" / f"{service}.lock")}
    assert {re.sub(r"[-_.]+", "-", package).lower() for package in packages} <= locked
