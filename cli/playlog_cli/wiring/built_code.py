"""The packages in a built layer: is all there that they need, and does it run on both architectures?"""

import csv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

COMPILED = frozenset({".so", ".pyd", ".dylib"})


def compiled(folder: Path) -> list[Path]:
    """Files that run on one architecture only, relative to the folder."""
    return [file.relative_to(folder) for file in sorted(folder.rglob("*")) if file.suffix in COMPILED]


def missing_files(folder: Path) -> Iterator[tuple[Distribution, str]]:
    """Packages that were installed into a folder, each with the name of a file or folder that is gone."""
    for package in _packages(folder):
        for name in sorted(_top_level(package)):
            if not (folder / name).exists():
                yield package, name


def unmet(folders: Iterable[Path], python_version: str) -> Iterator[tuple[Path, Distribution, Requirement]]:
    """What packages require, and none of the folders has.

    Args:
        folders: of the layers that a function uses together.
        python_version: of its runtime, like ``3.13``.

    Yields:
        The folder, the package in it, and its requirement.
    """
    folders = list(folders)
    found = {canonicalize_name(package.name): package.version for folder in folders for package in _packages(folder)}
    for folder in folders:
        for package in _packages(folder):
            for requirement in map(Requirement, package.requires or ()):
                version = found.get(canonicalize_name(requirement.name))
                if _applies(requirement, python_version) and (version is None or version not in requirement.specifier):
                    yield folder, package, requirement


def _packages(folder: Path) -> list[Distribution]:
    return sorted(distributions(path=[str(folder)]), key=lambda package: package.name)


def _applies(requirement: Requirement, python_version: str) -> bool:
    """Whether a package requires it on Lambda, without any extra."""
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
    # RECORD itself: importlib.metadata leaves out files that are gone. Scripts are of no use in a layer.
    record = csv.reader((package.read_text("RECORD") or "").splitlines())
    names = {Path(row[0]).parts[0] for row in record if row}
    return names - {"bin", "..", "/"}
