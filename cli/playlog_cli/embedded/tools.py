"""Install and call SAM, uv and MiniStack, each in an environment of its own, and say what went wrong."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from playlog_cli.embedded.processes import end_group
from playlog_cli.embedded.session import HOST, Server, Session, checkout
from playlog_cli.errors import CommandError
from playlog_cli.wiring import built_template

TAIL_LINES = 15


# Variables that would change what is built, or which AWS is called.
_MISLEADING = ("AWS_", "SAM_CLI_", "UV_PROJECT", "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME")


def install(session: Session) -> None:
    """Installs SAM and MiniStack into ``tools/``, unless they are there.

    Args:
        session: its folder is empty.

    Raises:
        CommandError: uv is missing or failed. The message ends with the last lines that it wrote.
    """
    for tool in ("sam", "ministack"):
        command = [_uv(), "sync", "--quiet", "--locked", "--project", str(session.tool(tool))]
        call(f"uv sync --project tools/{tool}", command, session, session.folder / "install.log", {})


def build(session: Session) -> None:
    """Calls ``sam build``, which builds into the session's folder.

    Raises:
        CommandError: it failed. The message ends with the last lines that it wrote.
    """
    _sam(session, ["build", "--build-dir", str(session.build)], {})


def deploy(session: Session, server: Server, parameters: Mapping[str, str]) -> None:
    """Deploys what ``build`` built, with the ``local`` section of ``samconfig.toml``.

    Args:
        session: ``build`` has built it.
        server: it is ready.
        parameters: parameters of the template that differ from their defaults.

    Raises:
        CommandError: the template has no such parameter, or the deployment failed. The message ends with the last
            lines that SAM wrote.
    """
    template = session.build / "template.yaml"
    known = built_template.load(template).parameters
    for name in parameters:
        if name not in known:  # SAM would ignore it silently
            raise CommandError(f"template.yaml has no parameter {name}: it has {', '.join(sorted(known))}")
    arguments = ["deploy", "--config-env", "local", "--config-file", str(session.checkout / "samconfig.toml")]
    arguments += ["--template-file", str(template)]
    # An option on the command line replaces samconfig.toml's, which says the same.
    pairs = (f"{name}={quoted(value)}" for name, value in {**parameters, "Embedded": "true"}.items())
    arguments += ["--parameter-overrides", *pairs]
    # SAM polls every 5 s by default. The embedded AWS is faster than that.
    _sam(session, arguments, {**server.environment, "SAM_CLI_POLL_DELAY": "0.2"})


@contextmanager
def environment_of(server: Server) -> Iterator[None]:
    """AWS clients of this process call the server, whatever the user's environment and configuration say."""
    before = dict(os.environ)
    after = tool_environment(server.environment)
    try:
        _replace_environment(after)
        yield
    finally:
        _replace_environment(before)


def _replace_environment(variables: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)


def server_environment(session: Session, port: int) -> dict[str, str]:
    """The whole environment of MiniStack and its functions: only the paths of programs come from the machine."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(session.scratch),
        "TMPDIR": str(session.scratch),
        "STATE_DIR": str(session.scratch / "state"),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "AUTH": "true",  # enforces the policies of the functions' roles
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{session.scratch}/none",  # or it would manage the machine's containers
    }


def tool_environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of uv and SAM: the machine's, without the variables that would mislead them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_MISLEADING)}
    no_proxy = ",".join(filter(None, [os.environ.get("NO_PROXY") or os.environ.get("no_proxy"), HOST]))
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(_uv()).parent), os.environ.get("PATH", os.defpath)]),
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
        "SAM_CLI_TELEMETRY": "0",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **extra,
    }


def _uv() -> str:
    found = os.environ.get("UV") or shutil.which("uv") or shutil.which("uv", path=checkout() / ".tools/uv/bin")
    if not found:
        raise CommandError("no uv on the PATH to install the embedded AWS with: `pip install uv`, or use `make run`")
    return found


def _sam(session: Session, arguments: Sequence[str], extra: Mapping[str, str]) -> None:
    command = [str(session.tool("sam") / ".venv/bin/sam"), *arguments]
    call(f"sam {arguments[0]}", command, session, session.folder / "sam.log", extra)


def call(what: str, command: Sequence[str], session: Session, log: Path, extra: Mapping[str, str]) -> None:
    """Runs a tool to its end. Its output goes to a log.

    Raises:
        CommandError: it failed. The message ends with the last lines that it wrote.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603
            command,
            env=tool_environment({"TMPDIR": str(session.scratch), **extra}),
            cwd=session.checkout,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that Ctrl-C reaches this process alone, which ends all of the tool's
        )
    try:
        status = process.wait()
    except BaseException:
        end_group(process.pid)
        raise
    if status:
        raise CommandError(failure(f"{what} failed with exit status {status}", log))


def failure(what: str, log: Path) -> str:
    """What failed, with the last lines of its log."""
    lines = log.read_text(errors="replace").rstrip().splitlines()
    return "\n".join([f"{what}; the end of {log}:", *(f"  {line}" for line in lines[-TAIL_LINES:])])


def quoted(value: str) -> str:
    """The value of a parameter in double quotes, as SAM reads values with blanks."""
    escaped = value.replace('"', r"\"")
    return f'"{escaped}"'
