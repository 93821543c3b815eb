"""`playlog local`: the stack on this machine, with no AWS account and no Docker."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson
from playlog_cli.embedded import ministack
from playlog_cli.embedded.demo import Steps, demo, render
from playlog_cli.embedded.ministack import Server
from playlog_cli.errors import CommandError
from playlog_cli.terminal import PlainConsole, err, out, print_json

SESSION = "local"  # what `up` leaves running

local_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="The stack in an embedded AWS on this machine: no account, no Docker.",
)


@local_app.command("up")
def up_command(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Loopback port.", show_default="a free one")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="A parameter of the template, as often as you like."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start an embedded AWS, deploy the stack into it, and leave it running: the schedule fires there."""
    with err.status("installing, building, starting, deploying: a minute the first time …"):
        server, started = up(port, parsed(parameter or []))
    if as_json:
        print_json({"endpoint": server.endpoint, "environment": server.environment, "started": started})
        return
    out.print(f"The stack is up{'' if started else ' already'}, at {server.endpoint}.")
    out.print("Paste this, and `playlog` and any AWS client speak to it:\n")
    for line in exports(server.environment):
        out.print(line, soft_wrap=True)
    out.print("\nThen try `playlog load FILE`, `playlog convert`, `playlog status`.")
    out.print("`playlog local down` stops it; what it holds is gone then.")


@local_app.command("down")
def down_command(as_json: AsJson = False) -> None:
    """Stop the embedded AWS that `up` started; what it held is gone."""
    stopped = down()
    if as_json:
        print_json({"stopped": stopped})
    else:
        out.print("The stack is down." if stopped else "Nothing was up.")


@local_app.command("demo")
def demo_command(as_json: AsJson = False) -> None:
    """Deploy, load the sample day, convert it, show what came of each match, and stop again."""
    console = PlainConsole(quiet=True) if as_json else out
    console.print("A broadcast day, from match to play, on this machine: no account, no Docker.\n")
    result = demo(Steps(console))
    render(result, console)
    if as_json:
        print_json(result)
    if result.summary.problems:
        raise typer.Exit(1)


def up(port: int | None, parameters: Mapping[str, str]) -> tuple[Server, bool]:
    """Leaves an embedded AWS running, with the stack deployed.

    Args:
        port: of the loopback interface; None for a free one.
        parameters: of the template, where they are not to be its defaults.

    Returns:
        The server, and whether it was started just now: one that is up stays as it is.

    Raises:
        CommandError: one is up that was asked for differently, or it could not be started or deployed into.
    """
    session = ministack.session(SESSION)
    with ministack.claimed(session):
        server = ministack.running(session)
        if not server:
            return _start(session, port or ministack.free_port(), parameters), True
        if parameters or port not in (None, server.port):
            raise CommandError(
                f"the stack is up already, on port {server.port}: stop it first, with `playlog local down`, "
                "to have another port or other parameters"
            )
        return server, False


def _start(session: ministack.Session, port: int, parameters: Mapping[str, str]) -> Server:
    ministack.install(session)
    try:
        server = ministack.start(session, port)
        ministack.build(session)
        ministack.wait_until_ready(session, server)
        ministack.deploy(session, server, parameters)
    except BaseException:
        ministack.stop(session)
        raise
    return server


def down() -> bool:
    """Stops what ``up`` left running.

    Returns:
        Whether anything was.

    Raises:
        CommandError: ``up`` or another ``down`` is at work.
    """
    session = ministack.session(SESSION)
    with ministack.claimed(session):
        return ministack.stop(session)


def parsed(pairs: Sequence[str]) -> dict[str, str]:
    """Parameters of the template from ``Key=Value``.

    Raises:
        CommandError: one is not of that form.
    """
    parameters = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key.isalnum() and equals):
            raise CommandError(f"--parameter {pair}: write it as Key=Value, say --parameter BatchSize=50")
        parameters[key] = value
    return parameters


def exports(environment: Mapping[str, str]) -> list[str]:
    """Lines for a POSIX shell that set an environment."""
    return [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
