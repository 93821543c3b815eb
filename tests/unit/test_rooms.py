"""Each line of code is in the room where a newcomer looks for it: imports point downwards, and no room grows too large.

The rules stand in one place: the docstring of each package. ``Who may import it`` and ``What it may import`` name
packages between backquotes. A package that is not named may not be imported, also under ``TYPE_CHECKING``.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHIPPED = {"playlog": ROOT / "layers/playlog/python/playlog", "playlog_cli": ROOT / "cli/playlog_cli"}
FOLDERS = [*SHIPPED.values(), ROOT / "functions", ROOT / "tests", ROOT / "bench", ROOT / "samples", ROOT / "tools"]

MODULES_IN_A_FOLDER = 12  # about ten
LINES_OF_A_CLASS = 150
LINES_OF_A_FUNCTION = 50  # without its docstring: about a screen
LINES_OF_A_MODULE = 400

# What is larger than its limit today. A number may only become smaller.
KNOWN_LARGE = {"tests/e2e": 16}


@dataclass(frozen=True)
class Import:
    """One import of a module of ours or of somebody else.

    Attributes:
        importer: the importing module, with its package.
        target: the imported module, or a name in it.
        line: where the import stands.
    """

    importer: str
    target: str
    line: int


def module_name(path: Path) -> str:
    """The name of a shipped module: ``playlog.domain.match``; of a package, the name of its folder."""
    top = next(name for name, folder in SHIPPED.items() if path.is_relative_to(folder))
    parts = path.relative_to(SHIPPED[top].parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


@cache
def sources() -> dict[str, ast.Module]:
    """Every shipped module by its name."""
    files = [path for folder in SHIPPED.values() for path in folder.rglob("*.py")]
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sorted(files)}


@cache
def imports() -> tuple[Import, ...]:
    """Every import of every shipped module, wherever it stands: within functions and under TYPE_CHECKING too."""
    found = []
    for importer, tree in sources().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found += [Import(importer, alias.name, node.lineno) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{importer}:{node.lineno}: write absolute imports"
                found += [Import(importer, f"{node.module}.{alias.name}", node.lineno) for alias in node.names]
    return tuple(found)


def listed(found: list[Import]) -> str:
    """The imports as a failed test shows them."""
    return "\n".join(f"{each.importer}:{each.line} imports {each.target}" for each in found)


def room(name: str) -> str:
    """The package, or the module beside the packages, that a name is in: ``playlog.domain``."""
    return ".".join(name.split(".")[:2])


def rooms() -> list[str]:
    """All packages of the layer and the command line."""
    return sorted(
        {room(module_name(path.parent / "__init__.py")) for top in SHIPPED.values() for path in top.glob("*/*.py")}
    )


def allowed(package: str, heading: str) -> set[str]:
    """The names between backquotes that a paragraph of a package's docstring gives.

    Args:
        package: the package, with its parent.
        heading: how the paragraph begins.

    Returns:
        The names, those of our own packages in full.
    """
    docstring = ast.get_docstring(sources()[package]) or ""
    paragraph = re.search(rf"^{heading}[^:]*:(.*?)(?=\n\n|\nWh|\Z)", docstring, re.DOTALL | re.MULTILINE)
    assert paragraph, f"the docstring of {package} lacks a paragraph that begins with {heading!r}"
    top = package.split(".", maxsplit=1)[0]
    ours = {name.split(".")[1] for name in sources() if name.startswith(f"{top}.")}
    return {f"{top}.{name}" if name.split(".")[0] in ours else name for name in re.findall(r"`([\w.]+)`", paragraph[1])}


def is_below(target: str, names: set[str]) -> bool:
    """Whether a name or one of the packages that hold it is among the names."""
    parts = target.split(".")
    return any(".".join(parts[:length]) in names for length in range(1, len(parts) + 1))


def test_shipped_code_imports_no_private_name_of_another_package() -> None:
    """Ruff's SLF001 finds private attributes only, not imports."""
    private = [
        each
        for each in imports()
        if any(part.startswith("_") and not part.startswith("__") for part in each.target.split("."))
        and room(each.importer) != room(each.target)
    ]
    assert not private, listed(private)


@pytest.mark.parametrize("package", rooms())
def test_a_room_imports_only_what_its_docstring_names(package: str) -> None:
    names = allowed(package, "What it may import") | {package}
    foreign = [
        each
        for each in imports()
        if room(each.importer) == package and each.target.split(".")[0] in SHIPPED and not is_below(each.target, names)
    ]

    assert not foreign, listed(foreign)


@pytest.mark.parametrize("package", [name for name in rooms() if name.startswith("playlog.")])
def test_a_room_of_the_layer_imports_only_the_packages_that_its_docstring_names(package: str) -> None:
    names = allowed(package, "What it may import") | set(sys.stdlib_module_names) | set(SHIPPED)
    foreign = [
        each
        for each in imports()
        if room(each.importer) == package
        and not is_below(each.target, names)
        and not each.target.startswith("mypy_boto3_")  # types alone: never installed in Lambda
    ]

    assert not foreign, listed(foreign)


def test_the_domain_reads_no_clock_no_environment_and_no_network() -> None:
    effects = {"os", "socket", "ssl", "subprocess", "threading", "time", "urllib", "http", "random", "uuid"}
    foreign = [each for each in imports() if room(each.importer) == "playlog.domain" and is_below(each.target, effects)]
    clocks = [
        f"{name}:{node.lineno}"
        for name, tree in sources().items()
        if room(name) == "playlog.domain"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"now", "today", "utcnow"}
    ]

    assert not foreign, listed(foreign)
    assert clocks == []


@pytest.mark.parametrize("package", rooms())
def test_a_room_is_imported_only_by_those_that_its_docstring_names(package: str) -> None:
    names = allowed(package, "Who may import") | {package}
    top = package.split(".", maxsplit=1)[0]
    foreign = [
        each
        for each in imports()
        if room(each.target) == package and each.importer.split(".")[0] == top and not is_below(each.importer, names)
    ]

    assert not foreign, listed(foreign)


def edges() -> dict[str, set[str]]:
    """Which shipped module imports which."""
    names = set(sources())
    graph: dict[str, set[str]] = {name: set() for name in names}
    for each in imports():
        target = each.target if each.target in names else each.target.rpartition(".")[0]
        if target in names and target != each.importer:
            graph[each.importer].add(target)
    return graph


def reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    """What can be reached from a node, itself only by a cycle."""
    found: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph[name]
    return found


def cycles(graph: dict[str, set[str]]) -> set[frozenset[str]]:
    """The sets of nodes that reach each other."""
    reach = {name: reachable(graph, name) for name in graph}
    return {frozenset(each for each in graph if each in reach[name] and name in reach[each]) for name in graph} - {
        frozenset()
    }


def test_no_two_modules_import_each_other_also_for_types() -> None:
    assert cycles(edges()) == set()


def test_no_two_rooms_import_each_other_also_for_types() -> None:
    graph: dict[str, set[str]] = {room(name): set() for name in sources()}
    for importer, targets in edges().items():
        graph[room(importer)] |= {room(name) for name in targets}
    graph = {name: targets - {name} for name, targets in graph.items()}

    assert cycles(graph) == set()


def test_a_cycle_would_be_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == {frozenset({"b", "c"})}


def sizes() -> Iterator[tuple[str, int, int]]:
    """What may be too large: its name, how large it is, and the limit."""
    for top in FOLDERS:
        for folder in [top, *(path for path in top.rglob("*") if path.is_dir() and ".venv" not in path.parts)]:
            modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
            yield str(folder.relative_to(ROOT)), len(modules), MODULES_IN_A_FOLDER
    for name, tree in sources().items():
        yield name, _lines(tree), LINES_OF_A_MODULE
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                yield f"{name}:{node.name}", _lines(node), LINES_OF_A_CLASS
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                docstring = _lines(node.body[0]) if ast.get_docstring(node) else 0
                yield f"{name}:{node.name}", _lines(node) - docstring, LINES_OF_A_FUNCTION


def _lines(node: ast.AST) -> int:
    if isinstance(node, ast.Module):
        return max((each.end_lineno or 0 for each in node.body), default=0)
    assert isinstance(node, ast.stmt)
    return (node.end_lineno or 0) - node.lineno + 1


def test_nothing_grows_too_large_to_be_read() -> None:
    too_large = [
        f"{name} has {size}: at most {max(limit, KNOWN_LARGE.get(name, 0))}"
        for name, size, limit in sizes()
        if size > max(limit, KNOWN_LARGE.get(name, 0))
    ]

    assert not too_large, "\n".join(too_large)
