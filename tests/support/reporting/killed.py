"""An export in a process of its own, which is killed at a moment: ``python -m tests.support.reporting.killed``.

Arguments: the folder; the moment, a number from 0; how large any file may be, in bytes (0 for any size).

A moment comes each time that the process is about to make, open, rename or remove something in the folder. If it ends
before that moment, it prints the moments that came, as JSON.
"""

import json
import os
import resource
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from playlog_cli import app
from playlog_cli.stacks import tables
from playlog_cli.wiring import built_template

from tests.integration.cli.test_report import MARCH, fail, play_item, put
from tests.support.aws import aws_in_memory
from tests.support.builders import make_item, without
from tests.support.reporting.stack import stack_in_memory

PLAYS = 9
_EVENTS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def kill_at(moment: int, folder: Path) -> list[str]:
    """Kills this process at a moment.

    Returns:
        The moments that came so far; grows.
    """
    came: list[str] = []

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS or not isinstance(arguments[0], str) or not arguments[0].startswith(f"{folder}/"):
            return
        if len(came) == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        came.append(f"{event} {Path(arguments[0]).name}")

    sys.addaudithook(watch)
    return came


def main() -> None:
    """Fills the tables and exports them."""
    folder, moment, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.environ["AWS_DEFAULT_REGION"] = built_template.REGION
    with aws_in_memory() as aws, patch.object(tables, "SEGMENTS", 1):
        step = timedelta(days=10)
        put(aws, *(play_item(f"t-{number}", MARCH.since + step * number) for number in range(PLAYS)))
        aws.put(make_item("m-1"), without(make_item("m-2"), "title"))
        fail(aws, "INVALID_SOURCE", MARCH.since)
        stack = stack_in_memory(aws)
        sys.argv = ["playlog", "export", "--to", folder]
        came = kill_at(moment, Path(folder))
        if size:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        with patch("playlog_cli.commands.export.find_stack", lambda *_, **__: stack):
            try:
                app.main()
            except SystemExit as end:
                print(json.dumps(came))
                raise end from None


if __name__ == "__main__":
    main()
