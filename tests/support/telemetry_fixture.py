"""What a run really emits. Modules that use it name this module as a plugin."""

import importlib
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from playlog.converting.run import Run

from tests.support.aws import environment


@pytest.fixture
def emit(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[Run], list[dict[str, Any]]]:
    """Reports a run as the deployed function does, in the environment of template.yaml: gives the lines of its log."""
    variables = environment("ConvertMatchesFunction")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    for name in ("playlog.runtime.telemetry", "playlog.converting.report"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    logging.Logger.manager.loggerDict.pop(variables["POWERTOOLS_SERVICE_NAME"], None)
    module = importlib.import_module("playlog.converting.report")

    def report(run: Run) -> list[dict[str, Any]]:
        capsys.readouterr()
        module.report(run, 4.1)
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return report
