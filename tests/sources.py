"""The source of services and of what they share, read as syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), name_of(path))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imported_by(service: str) -> set[str]:
    """Give the strangers' modules that a service imports, itself or through what it imports of ours."""
    todo = [*(ROOT / "services" / service).rglob("*.py")]
    seen: set[Path] = set()
    found: set[str] = set()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in imports(path):
            if name.startswith(("common.", "services.")):
                place = ROOT.joinpath(*name.split("."))
                modules = (place / "__init__.py", place.with_suffix(".py"), place.parent.with_suffix(".py"))
                todo += [module for module in modules if module.exists()]
            else:
                found.add(name.partition(".")[0])
    return found
