"""`playlog audit`: do the invariants hold? Shows the violations, and repairs what has one right answer."""

import json
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import fields
from functools import partial
from typing import Annotated, Any

import typer

from playlog_cli.auditing.audit import Audit, Progress, audit
from playlog_cli.auditing.export_audit import audit_export, sources_note
from playlog_cli.auditing.invariants import Violation
from playlog_cli.auditing.repair import SIDE_BY_SIDE, Repair, repair_match, repairs_of
from playlog_cli.commands.athena_cost import answered
from playlog_cli.commands.options import AsJson, ByAthena, ExportName, Profile, Region, StackName, Yes
from playlog_cli.errors import CommandError
from playlog_cli.exporting.by_athena.athena import find_athena
from playlog_cli.exporting.columns import TABLES
from playlog_cli.exporting.engine import open_engine
from playlog_cli.exporting.opened import open_export, read_manifest
from playlog_cli.exporting.places import place_of
from playlog_cli.stacks.queues import QueueDepth
from playlog_cli.stacks.stack import DEFAULT_STACK, Stack, find_stack, open_session
from playlog_cli.stacks.tables import batched
from playlog_cli.terminal import counted, facts_table, has_consent, out, table_bars

SHOWN_OF_A_KIND = 10


def audit_command(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="Give stranded matches with a time their shard. Shows them and asks first."),
    ] = False,
    yes: Yes = False,
    export: ExportName = None,
    athena: ByAthena = False,
    stack: StackName = DEFAULT_STACK,
    region: Region = None,
    profile: Profile = None,
    as_json: AsJson = False,
) -> None:
    """Check that each match is in exactly one state, and that plays and failures agree with it.

    Reads the three tables whole, also while matches arrive and runs go on, or an export of them. Exit status 1 if an
    invariant is violated.
    """
    if export is not None:
        if repair:
            raise CommandError("--repair changes the tables, and --export reads an export: use one of them")
        _audit_export(export, region, profile, by_athena=athena, as_json=as_json)
        return
    if athena:
        raise CommandError("--athena reads an export: name it with --export s3://…")
    target = find_stack(stack, region=region, profile=profile)
    with _progress(target) as progress:
        found = audit(target, progress)
    if not as_json:
        _show(found)
    repaired = _repair(target, found, yes=yes, as_json=as_json) if repair else []
    if as_json:
        _print_json(found, repaired)
    if len(repaired) < len(found.violations):
        raise typer.Exit(1)


def _audit_export(name: str, region: str | None, profile: str | None, *, by_athena: bool, as_json: bool) -> None:
    session = open_session(region, profile)
    with ExitStack() as opened:
        if by_athena:
            place = place_of(name, session)
            athena = find_athena(place, read_manifest(place))
            engine, manifest = opened.enter_context(open_engine()), athena.manifest
            found = answered(athena, lambda: audit_export(engine, athena, manifest))
        else:
            export = opened.enter_context(open_export(name, TABLES, session=session))
            manifest = export.manifest
            found = audit_export(export.engine, export.engine, manifest)
        if as_json:
            _print_json(found, [])
        else:
            _show(found)
            out.print(sources_note(manifest), soft_wrap=True)
        if len(found.violations):
            raise typer.Exit(1)


def _repair(stack: Stack, found: Audit, *, yes: bool, as_json: bool) -> list[str]:
    """Shows what can be repaired, asks, and repairs it.

    Returns:
        Ids of the matches that wait now.
    """
    repairs = list(repairs_of(stack, found))
    if not as_json:
        _show_repairs(repairs)
    question = f"Give {counted(len(repairs), 'match', 'matches')} a shard, so that a run reads them?"
    if not repairs or not has_consent(question, yes=yes, as_json=as_json):
        return []
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        done = pool.map(partial(repair_match, stack), repairs)
        repaired = [each.match_id for each, is_done in zip(repairs, done, strict=True) if is_done]
    if not as_json:
        _show_repaired(len(repaired), len(repairs))
    return repaired


def _progress(stack: Stack) -> AbstractContextManager[Progress]:
    names = {stack.play_log_table: "plays", stack.match_cache_table: "matches", stack.failed_play_log_table: "failures"}
    return table_bars(names, lambda table: stack.dynamodb.describe_table(TableName=table)["Table"]["ItemCount"])


def _show(found: Audit) -> None:
    out.print(f"stack {found.stack} in {found.region}", style="bold", soft_wrap=True)
    facts = facts_table()
    facts.add_row("matches", f"{found.matches:,}")
    for state in ("waiting", "played", "failed", "stranded", "in_two_states"):
        facts.add_row(f"  {state.replace('_', ' ')}", f"{getattr(found, state):,}")
    facts.add_row("plays", f"{found.plays:,}")
    facts.add_row("failures", f"{found.failures:,}")
    if found.dead_letters and found.parking_lot:
        facts.add_row("dead letters", *_depth_in_words(found.dead_letters))
        facts.add_row("parking lot", *_depth_in_words(found.parking_lot))
    out.print(facts)
    if found.undecided:
        out.print(
            f"{len(found.undecided):,} plays were written each time that their matches were counted: audit again.",
            soft_wrap=True,
        )
    if not len(found.violations):
        out.print(
            "No violation was found in the other plays."
            if found.undecided
            else "The invariants hold: no violation was found."
        )
        return
    out.print(
        f"The invariants are violated: {counted(len(found.violations), 'violation', 'violations')}.", style="bold red"
    )
    for kind, total in Counter(each.kind for each in found.violations).items():
        out.print(f"{kind} ({total:,})", style="bold")
        of_kind = (each for each in found.violations if each.kind is kind)
        for each in next(batched(of_kind, SHOWN_OF_A_KIND)):
            out.print(f"  {each.sentence}", soft_wrap=True)
        if total > SHOWN_OF_A_KIND:
            out.print(f"  ... and {total - SHOWN_OF_A_KIND:,} more; --json lists them all")


def _show_repairs(repairs: Sequence[Repair]) -> None:
    out.print("\nWhat can be repaired:" if repairs else "\nNothing can be repaired without a person's decision.")
    for each in repairs[:SHOWN_OF_A_KIND]:
        out.print(f"  match {each.match_id} gets unprocessed_shard {each.shard}", soft_wrap=True)
    if len(repairs) > SHOWN_OF_A_KIND:
        out.print(f"  ... and {len(repairs) - SHOWN_OF_A_KIND:,} more")


def _show_repaired(repaired: int, shown: int) -> None:
    changed = f"; {shown - repaired:,} changed in the meantime and were left as they are" if repaired < shown else ""
    out.print(
        f"Repaired: {counted(repaired, 'match', 'matches')}{changed}. The next run converts them.", soft_wrap=True
    )


def _depth_in_words(depth: QueueDepth) -> tuple[str, str]:
    total = depth.waiting + depth.in_flight + depth.delayed
    return f"{total:,}", f"{depth.in_flight:,} in flight, {depth.delayed:,} delayed"


def _print_json(found: Audit, repaired: list[str]) -> None:
    """Prints it piece by piece: with a million violations, the whole text would not fit in memory."""
    undecided = [key._asdict() for key in found.undecided]
    values = {**_shallow(found), "violations": _Streamed(found.violations), "undecided": undecided, "mended": repaired}
    json.dump(values, sys.stdout, indent=2, default=_shallow)
    sys.stdout.write("\n")


class _Streamed(list[Violation]):
    """Looks like a list to ``json``, and reads one violation after the other."""

    def __init__(self, violations: Collection[Violation]) -> None:
        super().__init__()
        self._violations = violations

    def __len__(self) -> int:
        return len(self._violations)

    def __iter__(self) -> Iterator[Violation]:
        return iter(self._violations)


def _shallow(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
