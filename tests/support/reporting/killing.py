"""Runs a command again and again, and kills it a moment later each time: before each change of a folder.

``python -m tests.support.reporting.killing FOLDER ARGUMENT…`` runs ``playlog ARGUMENT…``. For each run, ``FOLDER`` is a
copy of what it was at first. Prints the folder after each run that was killed, and after the one that was not, as JSON.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from playlog_cli import app

CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir"}
MOST = 200


def kill_before(number: int, folder: str) -> None:
    """Kills this process before it changes a folder for the n-th time."""
    left = number

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        if is_change(event, arguments, folder):
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

    sys.addaudithook(hook)


def is_change(event: str, arguments: tuple[Any, ...], folder: str) -> bool:
    """Whether an event of Python changes the folder."""
    if event == "open":
        path, mode, _flags = arguments
        is_for_writing = isinstance(mode, str) and set(mode) & set("wax+")
        return bool(is_for_writing) and is_in(path, folder)
    return event in CHANGES and is_in(arguments[0], folder)


def is_in(path: Any, folder: str) -> bool:
    """Whether a path of an event is in the folder."""
    return isinstance(path, str | os.PathLike) and os.path.abspath(path).startswith(folder)


def contents(folder: Path) -> dict[str, str]:
    """The files of a folder, as hexadecimal digits."""
    return {str(path.relative_to(folder)): path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()}


def run(number: int, folder: Path, arguments: list[str]) -> bool:
    """Runs the command in a process of its own. Returns whether it was killed."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        kill_before(number, str(folder))
        sys.argv = ["playlog", *arguments]
        try:
            app.main()
        except SystemExit as error:
            os._exit(int(error.code or 0))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def main() -> None:
    """Runs the command until it is not killed any more."""
    folder, arguments = Path(sys.argv[1]), sys.argv[2:]
    first = folder.with_name(f"{folder.name}-first")
    shutil.copytree(folder, first)
    app.LazyCommands()[arguments[0]]  # imports the command once, and not in each process
    after = []
    for number in range(MOST):
        shutil.rmtree(folder)
        shutil.copytree(first, folder)
        was_killed = run(number, folder, arguments)
        after.append(contents(folder))
        if not was_killed:
            break
    print(json.dumps(after))


if __name__ == "__main__":
    main()
