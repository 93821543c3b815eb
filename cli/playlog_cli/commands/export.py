"""`playlog export`: the three tables as Parquet files, with a manifest written last."""

from typing import Annotated, Any

import typer

from playlog_cli.commands.options import AsJson, Profile, Region, StackName
from playlog_cli.errors import CommandError, shown
from playlog_cli.exporting.by_dynamodb.pending import table_names
from playlog_cli.exporting.by_dynamodb.point_in_time import can_export
from playlog_cli.exporting.export import export_by_dynamodb, export_by_scan, update_by_dynamodb
from playlog_cli.exporting.manifest import Manifest
from playlog_cli.exporting.places import Bucket, Place, place_of
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack
from playlog_cli.terminal import facts_table, out, print_json, table_bars


def export_command(
    to: Annotated[str, typer.Option(metavar="FOLDER|s3://…", help="Where the export goes.")],
    update: Annotated[
        bool, typer.Option("--update", help="Bring the export up to date by DynamoDB's incremental export.")
    ] = False,
    through: Annotated[
        str | None,
        typer.Option(metavar="s3://…", help="Where DynamoDB writes its export, if --to is a folder.  [default: --to]"),
    ] = None,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Write the tables as Parquet files, for reports and audits of any size.

    An earlier export in the same place stays usable until the new one is whole. On AWS, DynamoDB's own export is used
    if there is a bucket for it (--to s3://… or --through s3://…): all tables are as of one instant, and no read
    capacity is used. Else the tables are read by a scan.
    """
    target = find_stack(stack, region=region, profile=profile)
    place = place_of(to, target.session)
    bucket = _bucket(target, to, through)
    if update and bucket is None:
        raise CommandError(
            "--update needs DynamoDB's export to S3, which an embedded AWS does not have, and a bucket for it: "
            "name one with --through s3://BUCKET/PREFIX"
        )
    counts = table_names(target)
    with table_bars(
        {name: name for name in counts},
        lambda name: target.dynamodb.describe_table(TableName=counts[name])["Table"]["ItemCount"],
    ) as progress:
        if bucket is None:
            manifest = export_by_scan(target, place, progress)
        elif update:
            manifest = update_by_dynamodb(target, place, bucket, progress)
        else:
            manifest = export_by_dynamodb(target, place, bucket, progress)
    if as_json:
        print_json(_as_json(manifest, place))
    else:
        _show(manifest, place)


def _bucket(stack: Stack, to: str, through: str | None) -> Bucket | None:
    """Where DynamoDB writes its export to; None if the tables are to be read by a scan."""
    named = place_of(through if through is not None else to, stack.session)
    if through is not None and not isinstance(named, Bucket):
        raise CommandError(f"--through is {shown(through)}: it must be like s3://BUCKET/PREFIX")
    return named if isinstance(named, Bucket) and can_export(stack) else None


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
