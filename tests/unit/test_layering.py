"""Who may know whom, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sources import ROOT, imports, name_of, tree

FILES = sorted(path for folder in ("common", "services") for path in (ROOT / folder).rglob("*.py"))
SERVICES = {path.name for path in (ROOT / "services").iterdir() if (path / "__init__.py").exists()}
CONNECTING = {
    *("connect", "create_indexes", "MongoClient", "BlockingConnection", "SelectConnection", "Thread", "start"),
    *("configure", "basicConfig", "setLevel", "addHandler", "from_environ", "load", "load_dotenv"),
}


def attributes(path: Path) -> Iterator[str]:
    return (ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute))


def calls_at_import(node: ast.AST) -> Iterator[str]:
    """Give the names of what is called when the module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) or _is_main_guard(child):
            continue
        if isinstance(child, ast.Call):
            yield ast.unparse(child.func).rpartition(".")[2]
        yield from calls_at_import(child)


def _is_main_guard(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def users_of(name: str) -> set[str]:
    return {
        name_of(path)
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node).rpartition(".")[2] == name
    }


def test_the_rules_below_look_at_all_the_code() -> None:
    assert {"fetcher", "scraper", "hasher", "grayscaler", "aggregator", "api"} <= SERVICES
    assert len(FILES) > 40


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_dependencies_point_one_way(path: Path) -> None:
    folder, *rest = path.relative_to(ROOT).parts
    ours = {
        name for name in imports(path) if name.split(".")[0] in ("common", "services", "tests", "samples", "deploy")
    }
    if folder == "common":
        strangers = {name for name in ours if not name.startswith("common")}
    else:
        strangers = {name for name in ours if not name.startswith(("common", f"services.{rest[0]}."))}
    assert strangers == set()


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_connected_started_or_configured_at_import(path: Path) -> None:
    assert CONNECTING.isdisjoint(calls_at_import(tree(path)))


def test_only_the_settings_read_the_environment() -> None:
    reading = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    named = {name_of(path) for path in FILES if reading & {*imports(path), *attributes(path)}}
    assert named == {"common/settings.py"}


def test_only_the_session_acks() -> None:
    assert users_of("basic_ack") == {"common/session.py"}
    assert users_of("basic_nack") | users_of("basic_reject") == set()


def test_handlers_have_never_heard_of_the_broker() -> None:
    knowing = {name_of(path) for path in FILES if any(name.split(".")[0] == "pika" for name in imports(path))}
    assert {name for name in knowing if name.startswith("services")} == set()


def test_errors_of_requests_and_pymongo_are_caught_at_the_edge_only() -> None:
    catching = {name_of(path) for path in FILES if "pymongo.errors" in set(imports(path))}
    assert catching <= {"common/database.py", "common/inserting.py"}
