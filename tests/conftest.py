"""One way for all tests: the same generated cases on every machine, however slow it is."""

from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

ONE_STACK = ("tests/browser", "tests/docs")  # folders whose files share a stack


class ByStack(LoadFileScheduling):  # type: ignore[misc]
    """Gives a process the tests of a file, or of a folder whose files share a stack."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in ONE_STACK if nodeid.startswith(f"{folder}/")), super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByStack | None:
    """Says which process does which tests (pytest-xdist, "Writing custom schedulers")."""
    return ByStack(config, log) if config.getvalue("dist") == "loadfile" else None
