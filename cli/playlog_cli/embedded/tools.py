"""Runs the tools of the embedded AWS, uv and SAM, with their output in a log."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from playlog_cli.embedded.processes import end_group
from playlog_cli.embedded.session import HOST, Session, checkout
from playlog_cli.errors import CommandError

TAIL_LINES = 15

# Settings of the machine that would change what is built, or which AWS is used.
_MISLEADING = ("AWS_", "SAM_CLI_", "UV_PROJECT", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME")


def tool_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Environment of uv and SAM: the machine's, with its proxies and package index, without misleading settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_MISLEADING)}
    server = urlsplit(extra.get("AWS_ENDPOINT_URL", "")).hostname or HOST
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), server]))
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(uv()).parent), os.environ.get("PATH", os.defpath)]),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **extra,
    }


def uv() -> str:
    """Path of uv.

    Raises:
        CommandError: there is none.
    """
    found = os.environ.get("UV") or shutil.which("uv") or shutil.which("uv", path=checkout() / ".tools/uv/bin")
    if not found:
        raise CommandError("no uv on the PATH to install the embedded AWS with: `pip install uv`, or use `make run`")
    return found


def sam(session: Session, arguments: Sequence[str], extra: Mapping[str, str]) -> None:
    """Runs SAM.

    Args:
        session: ``install`` has prepared it.
        arguments: of SAM; the first one is its command.
        extra: environment variables.

    Raises:
        CommandError: it failed.
    """
    command = [str(session.tool("sam") / ".venv/bin/sam"), *arguments]
    call(f"sam {arguments[0]}", command, session, session.folder / "sam.log", extra)


def sam_in_sight(session: Session, arguments: Sequence[str], extra: Mapping[str, str]) -> str:
    """Runs SAM with its messages on the terminal.

    Args:
        session: ``install`` has prepared it.
        arguments: of SAM; the first one is its command.
        extra: environment variables.

    Returns:
        What it wrote to its standard output.

    Raises:
        CommandError: it failed.
    """
    command = [str(session.tool("sam") / ".venv/bin/sam"), *arguments]
    environment = tool_environment({"TMPDIR": str(session.scratch), **extra})
    answer = subprocess.run(  # noqa: S603
        command,
        env=environment,
        cwd=session.checkout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if answer.returncode:
        raise CommandError(f"sam {arguments[0]} failed with exit status {answer.returncode}")
    return answer.stdout.strip()


def call(what: str, command: Sequence[str], session: Session, log: Path, extra: Mapping[str, str]) -> None:
    """Runs a tool to its end, with its output in a log.

    Args:
        what: the tool in words, for the message.
        command: program and arguments.
        session: where it runs.
        log: file that the output is appended to.
        extra: environment variables.

    Raises:
        CommandError: it failed. The error has the last lines of its output.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=tool_environment({"TMPDIR": str(session.scratch), **extra}),
            cwd=session.checkout,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches this process alone, which then ends the tool
        )
    try:
        status = process.wait()
    except BaseException:
        end_group(process.pid)
        process.wait()
        raise
    if status:
        raise failure(f"{what} failed with exit status {status}", log)


def failure(what: str, log: Path) -> CommandError:
    """An error that says what failed, with the last lines of its log."""
    lines = log.read_text(errors="replace").rstrip().splitlines()
    return CommandError(f"{what}; the end of {log}:", lines[-TAIL_LINES:])
