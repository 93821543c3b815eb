"""Folders of built code: which packages in them are third-party, which code is the project's own, and what it needs."""

import ast
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

COMPILED = frozenset({".so", ".pyd", ".dylib"})
_ENVIRONMENTS = frozenset({"environ", "environment"})
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")


@dataclass(frozen=True)
class CodeFolder:
    """A folder that Lambda imports from: a function's code, or the ``python`` folder of a layer.

    Attributes:
        logical_id: the function or layer, by its name in the template.
        path: where it is.
    """

    logical_id: str
    path: Path

    @cached_property
    def packages(self) -> list[Distribution]:
        """The third-party packages that were installed into it."""
        return sorted(distributions(path=[str(self.path)]), key=lambda package: package.name)

    @cached_property
    def third_party(self) -> frozenset[str]:
        """Names of the files and folders directly in it that belong to third-party packages."""
        return frozenset(name for package in self.packages for name in _top_level(package))

    @property
    def own_files(self) -> list[Path]:
        """The project's own Python files."""
        files = sorted(self.path.rglob("*.py"))
        return [file for file in files if file.relative_to(self.path).parts[0] not in self.third_party]

    @property
    def own_modules(self) -> list[str]:
        """Names that the project's own files are imported by."""
        modules = (file.relative_to(self.path).with_suffix("").parts for file in self.own_files)
        return [".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in modules]

    def compiled(self) -> list[Path]:
        """Files that run on one architecture only, relative to the folder."""
        files = sorted(self.path.rglob("*"))
        return [file.relative_to(self.path) for file in files if file.suffix in COMPILED]

    def gone(self) -> Iterator[tuple[Distribution, str]]:
        """Packages that were installed into it, each with the name of what is no longer there."""
        for package in self.packages:
            for name in sorted(_top_level(package)):
                if not (self.path / name).exists():
                    yield package, name


@dataclass(frozen=True)
class Variable:
    """An environment variable that code must find set.

    Attributes:
        name: of the variable.
        place: file and line that read it, relative to the code folder.
    """

    name: str
    place: str


@dataclass(frozen=True)
class Service:
    """An AWS service that code makes a client for.

    Attributes:
        name: as boto3 has it, like ``dynamodb``.
        place: file and line that makes it, relative to the code folder.
    """

    name: str
    place: str


def unmet(folders: Iterable[CodeFolder], python_version: str) -> Iterator[tuple[CodeFolder, Distribution, Requirement]]:
    """What the packages of folders require, and is in none of them.

    Args:
        folders: that a function imports from.
        python_version: of its runtime, like ``3.13``.

    Yields:
        The folder, the package in it, and what that requires.
    """
    folders = list(folders)
    versions = {canonicalize_name(package.name): package.version for folder in folders for package in folder.packages}
    for folder in folders:
        for package in folder.packages:
            for requirement in map(Requirement, package.requires or ()):
                version = versions.get(canonicalize_name(requirement.name))
                if _applies(requirement, python_version) and (version is None or version not in requirement.specifier):
                    yield folder, package, requirement


def required_variables(folder: CodeFolder) -> Iterator[Variable]:
    """The environment variables that the project's own code cannot do without, as far as its text tells.

    They are read by ``environ["NAME"]``, or by a function that is given both the environment and the name. A read by
    ``get`` can do without.
    """
    for file in folder.own_files:
        for node in ast.walk(_parsed(file)):
            if isinstance(node, ast.Subscript | ast.Call):
                for name in _names_read(node):
                    yield Variable(name, f"{file.relative_to(folder.path)}:{node.lineno}")


def called_services(folder: CodeFolder) -> Iterator[Service]:
    """The AWS services that the project's own code makes clients for by name, in whatever case it does."""
    for file in folder.own_files:
        for node in ast.walk(_parsed(file)):
            match node:
                case ast.Call(func=ast.Attribute(attr="client" | "resource"), args=[ast.Constant(str(name)), *_]):
                    yield Service(name, f"{file.relative_to(folder.path)}:{node.lineno}")


def described_services(folders: Iterable[CodeFolder]) -> frozenset[str] | None:
    """The AWS services that the SDK in folders knows; None where they have no SDK, and Lambda's own serves."""
    data = [each for folder in folders if (each := folder.path / "botocore" / "data").is_dir()]
    return frozenset(service.name for each in data for service in each.iterdir()) if data else None


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return ast.Module([], [])  # to import it fails as well, and that says why


def _names_read(node: ast.Subscript | ast.Call) -> Iterator[str]:
    match node:
        case ast.Subscript(value=environment, slice=ast.Constant(str(name))) if _is_environment(environment):
            yield name
        case ast.Call(args=arguments) if any(_is_environment(argument) for argument in arguments):
            texts = (argument.value for argument in arguments if isinstance(argument, ast.Constant))
            yield from (text for text in texts if isinstance(text, str) and _VARIABLE.fullmatch(text))


def _is_environment(node: ast.expr) -> bool:
    match node:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name in _ENVIRONMENTS
        case _:
            return False


def _applies(requirement: Requirement, python_version: str) -> bool:
    """Whether a package requires it on Lambda, where no extra was asked for."""
    lambda_environment: dict[str, str] = {
        "extra": "",
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python_version}.0",
        "python_version": python_version,
        "sys_platform": "linux",
    }
    return requirement.marker is None or requirement.marker.evaluate(lambda_environment)


def _top_level(package: Distribution) -> set[str]:
    # Its own list of files: importlib.metadata's leaves out what is gone. Scripts are of no use in a layer.
    record = csv.reader((package.read_text("RECORD") or "").splitlines())
    names = {Path(row[0]).parts[0] for row in record if row}
    return names - {"bin", "..", "/"}
