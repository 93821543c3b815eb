"""`playlog web`: the operators' page in a browser."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from playlog_cli.catalog.reading import load_catalog
from playlog_cli.commands.options import CatalogFile, Profile, Region, StackName
from playlog_cli.errors import CommandError, shown
from playlog_cli.failures.mending import identity
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import err, out
from playlog_cli.time_zones import time_zone, wanted_zone
from playlog_cli.web.access.opening import open_file, write_leading_file
from playlog_cli.web.access.tickets import Tickets, entry


def web_command(
    read_only: Annotated[bool, typer.Option("--read-only", help="Refuse every change, on the server.")] = False,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Loopback port.", show_default="a free one")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, and open no browser.")] = False,
    zone_name: Annotated[
        str, typer.Option("--time-zone", metavar="ZONE", help="Time zone of the days, like Europe/Berlin.")
    ] = "UTC",
    catalog: CatalogFile = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
) -> None:
    """Open a page in the browser: overview, failures, plays, parking lot, reports.

    Ctrl-C ends it. Only this machine reaches it, and only the browser that it opens. It acts with your own AWS
    credentials.
    """
    try:
        from playlog_cli.web.access.gate import Keys  # noqa: PLC0415 - an optional extra
        from playlog_cli.web.access.server import host_of, listen, serve  # noqa: PLC0415
        from playlog_cli.web.desk import Desk  # noqa: PLC0415
        from playlog_cli.web.site import site  # noqa: PLC0415
    except ModuleNotFoundError as missing:
        raise CommandError(
            f"the page needs the package {missing.name}: install it with `pip install 'playlog[cli,web]'`"
        ) from None
    zone = time_zone(zone_name)
    if zone is None:
        raise CommandError(f"--time-zone is {shown(zone_name)}: {wanted_zone(zone_name)}")
    names = load_catalog(catalog) if catalog else None
    found = find_stack(stack, region=region, profile=profile)
    listener, keys = listen(port), Keys()
    host = host_of(listener)
    secrets, who = (keys.home, keys.csrf), lambda: identity(found)
    desk = Desk(found, *secrets, read_only=read_only, zone=zone, now=_now, who=who, catalog=names)
    entrance = _Entrance(host)

    def ready() -> None:
        rights = ", read-only" if read_only else ""
        out.print(f"stack {found.name} in {found.session.region_name}{rights}", style="bold")
        entrance.show_address()
        out.print("Ctrl-C ends it. The address lets one browser in, once: give it to nobody.")
        if not no_browser:
            entrance.open_browser()

    try:
        serve(site(desk, host, keys, entrance.tickets), listener, ready)
    finally:
        entrance.close()


def _now() -> datetime:
    return datetime.now(UTC)


class _Entrance:
    """Shows addresses that let a browser in, and opens the user's browser with another one."""

    def __init__(self, host: str) -> None:
        self.tickets = Tickets(self._used)
        self._host = host
        self._files: dict[str, Path] = {}  # those that lead a browser here, by their token

    def show_address(self) -> None:
        """Shows an address that was not used yet."""
        out.print(entry(self._host, self.tickets.issue()), soft_wrap=True)

    def open_browser(self) -> None:
        """Opens the user's browser."""
        token = self.tickets.issue()
        try:
            self._files[token] = write_leading_file(entry(self._host, token), Path.home())
        except OSError as error:
            err.print(f"No browser was opened: {error}. Open the address yourself.", soft_wrap=True)
            return
        open_file(self._files[token])

    def close(self) -> None:
        """Deletes the files of browsers that did not come."""
        for file in self._files.values():
            file.unlink(missing_ok=True)

    def _used(self, token: str) -> None:
        if file := self._files.pop(token, None):
            file.unlink(missing_ok=True)
        else:
            out.print("A browser was let in. The address for another one:")
            self.show_address()
