"""`playlog local`: the stack on this machine, without an AWS account and without Docker."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson
from playlog_cli.demo.demo import demo
from playlog_cli.demo.invocation import invoke
from playlog_cli.demo.show import Steps, render
from playlog_cli.embedded import ministack
from playlog_cli.embedded.session import LOCAL, Server, Session, claimed, session
from playlog_cli.errors import CommandError
from playlog_cli.terminal import PlainConsole, err, out, print_json

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
        typer.Option(metavar="KEY=VALUE", help="A parameter of the template. Repeatable."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Start an embedded AWS, deploy the stack into it, and leave it running. Its schedule fires every two minutes."""
    with err.status("installing, building, starting, deploying: a minute the first time …"):
        server, is_new = up(port, parsed(parameter or []))
    if as_json:
        print_json({"endpoint": server.endpoint, "environment": server.environment, "started": is_new})
        return
    out.print(f"The stack is up{'' if is_new else ' already'}, at {server.endpoint}.")
    out.print("`playlog` finds it by itself. For any other AWS client, paste this:\n")
    for line in exports(server.environment):
        out.print(line, soft_wrap=True)
    out.print("\nThen try `playlog load FILE`, `playlog convert`, `playlog status`.")
    out.print("`playlog local down` stops it and deletes its data.")


@local_app.command("down")
def down_command(as_json: AsJson = False) -> None:
    """Stop the embedded AWS that `up` started, and delete its data."""
    stopped = down()
    if as_json:
        print_json({"stopped": stopped})
    else:
        out.print("The stack is down." if stopped else "Nothing was up.")


@local_app.command("demo")
def demo_command(as_json: AsJson = False) -> None:
    """Deploy, load the sample day, convert it, show what became of each match, and stop again."""
    console = PlainConsole(quiet=True) if as_json else out
    console.print("A broadcast day, from match to play, on this machine: no account, no Docker.\n")
    result = demo(Steps(console))
    render(result, console)
    if as_json:
        print_json(result)
    if result.summary.problems:
        raise typer.Exit(1)


@local_app.command("invoke")
def invoke_command(
    function: Annotated[str, typer.Argument(metavar="FUNCTION", help="Its name in template.yaml.")],
    event: Annotated[Path, typer.Option(metavar="FILE", help="The event, as JSON.")] = Path("events/manual.json"),
) -> None:
    """Run one function in a container of Lambda's own image, on the sample day. Needs Docker.

    Starts an embedded AWS that containers reach, deploys, loads the sample day, invokes, and stops all of it.
    """
    answer = invoke(function, event, Steps(err))
    typer.echo(answer)
    if '"errorType"' in answer:  # sam does not say by its exit status that the function raised
        raise typer.Exit(1)


def up(port: int | None, parameters: Mapping[str, str]) -> tuple[Server, bool]:
    """Leaves an embedded AWS running, with the stack deployed.

    Args:
        port: a port of the loopback interface; None for a free one.
        parameters: parameters of the template that differ from their defaults.

    Returns:
        The server, and whether this call started it. One that is up stays as it is.

    Raises:
        CommandError: one is up with another port or other parameters, or starting or deploying failed.
    """
    local = session(LOCAL)
    with claimed(local):
        server = local.running()
        if not server:
            return _start(local, port or ministack.free_port(), parameters), True
        if parameters or port not in (None, server.port):
            raise CommandError(
                f"the stack is up already, on port {server.port}: stop it first, with `playlog local down`, "
                "to have another port or other parameters"
            )
        return server, False


def _start(session: Session, port: int, parameters: Mapping[str, str]) -> Server:
    ministack.check_schedule(parameters)
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
    """Stops the server that ``up`` left running.

    Returns:
        Whether one was running.

    Raises:
        CommandError: another command uses the session.
    """
    local = session(LOCAL)
    with claimed(local):
        return ministack.stop(local)


def parsed(pairs: Sequence[str]) -> dict[str, str]:
    """Parameters of the template from ``Key=Value``.

    Raises:
        CommandError: a pair has another form.
    """
    parameters = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key.isalnum() and equals):
            raise CommandError(f"--parameter {pair}: write it as Key=Value, like --parameter BatchSize=50")
        parameters[key] = value
    return parameters


def exports(environment: Mapping[str, str]) -> list[str]:
    """Lines for a POSIX shell that set an environment."""
    return [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
