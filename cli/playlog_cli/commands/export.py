"""`playlog export`: the three tables as Parquet files, with a manifest written last."""

from typing import Annotated, Any

import typer

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.exporting.export import export_by_scan
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.places import Place, place_of
from playlog_cli.stacks.stack import DEFAULT_STACK, find_stack
from playlog_cli.terminal import facts_table, out, print_json, table_bars


def export_command(
    to: Annotated[str, typer.Option(metavar="FOLDER|s3://…", help="Where the export goes.")],
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Write the tables as Parquet files, for reports and audits of any size.

    An earlier export in the same place stays usable until the new one is whole.
    """
    target = find_stack(stack, region=region, profile=profile)
    place = place_of(to, target.session)
    counts = {
        "plays": target.play_log_table,
        "matches": target.match_cache_table,
        "failures": target.failed_play_log_table,
    }
    names = {name: name for name in counts}
    with table_bars(
        names, lambda name: target.dynamodb.describe_table(TableName=counts[name])["Table"]["ItemCount"]
    ) as progress:
        manifest = export_by_scan(target, place, progress)
    if as_json:
        print_json(_as_json(manifest, place))
    else:
        _show(manifest, place)


def _as_json(manifest: Manifest, place: Place) -> dict[str, Any]:
    return {
        "to": place.name,
        "stack": manifest.stack,
        "region": manifest.region,
        "origin": manifest.origin,
        "began_at": manifest.began_at,
        "instant": manifest.instant,
        "counts": {name: manifest.rows(name) for name in ("plays", "matches", "failures")},
        "files": len(manifest.files),
        "bytes": sum(file.size for file in manifest.files),
    }


def _show(manifest: Manifest, place: Place) -> None:
    out.print(f"stack {manifest.stack} in {manifest.region}", style="bold", soft_wrap=True)
    facts = facts_table()
    for name in ("plays", "matches", "failures"):
        facts.add_row(name, f"{manifest.rows(name):,}")
    facts.add_row("files", f"{len(manifest.files):,}", f"{sum(file.size for file in manifest.files):,} bytes")
    out.print(facts)
    as_of = f"as of {manifest.instant}" if manifest.instant else f"read from {manifest.began_at} on: no snapshot"
    out.print(f"exported to {place.name}, {as_of}", soft_wrap=True)
