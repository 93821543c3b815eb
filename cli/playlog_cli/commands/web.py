"""`playlog web`: the operators' page in a browser."""

import webbrowser
from datetime import UTC, datetime
from typing import Annotated

import typer

from playlog_cli.commands.options import Profile, Region, StackName
from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.mending import identity
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import out
from playlog_cli.time_zones import time_zone, wanted_zone


def web_command(
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse every change, on the server.")] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Loopback port.", show_default="a free one")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, and open no browser.")] = False,
    zone_name: Annotated[
        str, typer.Option("--time-zone", metavar="ZONE", help="Time zone of the days, like Europe/Berlin.")
    ] = "UTC",
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Open a page in the browser: overview, failures, plays, parking lot, reports.

    Ctrl-C ends it. Only this machine reaches it, and only the browser that it opens. It acts with your own AWS
    credentials.
    """
    try:
        from playlog_cli.web.desk import Desk  # noqa: PLC0415 - an optional extra
        from playlog_cli.web.gate import Keys  # noqa: PLC0415
        from playlog_cli.web.server import entry, host_of, listen, serve  # noqa: PLC0415
        from playlog_cli.web.site import site  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise CommandError(
            f"the page needs the package {missing.name}: install it with `pip install 'playlog[cli,web]'`"
        ) from None
    zone = time_zone(zone_name)
    if zone is None:
        raise CommandError(f"--time-zone is {shown(zone_name)}: {wanted_zone(zone_name)}")
    found = find_stack(stack, region=region, profile=profile)
    listener = listen(port)
    host, keys = host_of(listener), Keys()
    desk = Desk(
        found, keys.csrf, read_only=read_only, zone=zone, now=lambda: datetime.now(UTC), who=lambda: identity(found)
    )

    def ready() -> None:
        address = entry(host, keys)
        rights = ", read-only" if read_only else ""
        out.print(f"stack {found.name} in {found.session.region_name}{rights}", style="bold")
        out.print(address, soft_wrap=True)
        out.print("Ctrl-C ends it. The address holds the secret of this session: give it to nobody.")
        if not no_browser:
            webbrowser.open(address)

    serve(site(desk, host, keys), listener, ready)
