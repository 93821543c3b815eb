"""`playlog wiring`: checks the built template, and names the release in it."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from playlog_cli.commands.options import AsJson
from playlog_cli.terminal import out, print_json
from playlog_cli.wiring.check import check_wiring
from playlog_cli.wiring.release import stamp

BUILT_TEMPLATE = Path(".aws-sam/build/template.yaml")


def wiring_command(
    template: Annotated[Path, typer.Argument(help="The template that `sam build` wrote.")] = BUILT_TEMPLATE,
    is_to_be_named: Annotated[
        bool, typer.Option("--name-release", help="Write the commit and the fingerprint of the files into it.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check what only the built template can tell: whole layers, and something that invokes each function."""
    problems = check_wiring(template)
    if is_to_be_named and not problems:
        stamp(template)
    if as_json:
        print_json({"template": str(template), "problems": [asdict(problem) for problem in problems]})
    else:
        for problem in problems:
            out.print(str(problem), soft_wrap=True)
        if not problems:
            out.print(
                f"{template}: the layers are whole, and what invokes the functions is wired to them", soft_wrap=True
            )
    if problems:
        raise typer.Exit(1)
