"""What the commands say of a stack's tables, and of an export of them: it must be the same."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from playlog_cli.app import app
from typer.testing import CliRunner, Result

CARD = """
currency = "EUR"
time_zone = "Asia/Tokyo"
[[rule]]
name = "sure"
min_confidence = 60
rate = 0.0125
per = "second"
[[rule]]
name = "others"
rate = 0.85
per = "play"
"""
# Of a report, by what it is asked for.
GROUPS = {"track": ["track"], "station and hour": ["station", "hour"], "day and artist": ["day", "artist"]}
# What a command says of when and how it read, and what an export does not have.
_OF_THE_READING = {"made_at", "notes", "inputs", "source", "dead_letters", "parking_lot"}


def run_command(*arguments: object) -> Result:
    """Runs a command on the stack of the environment."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def check_same_answers(invoke: Callable[..., Result], folder: Path, dates: list[str], catalog: str) -> dict[str, Any]:
    """Exports the tables, and checks that each command says the same of the export.

    Args:
        invoke: runs a command of the whole command line.
        folder: for files.
        dates: the options of the period.
        catalog: CSV.

    Returns:
        The answers, by command.
    """
    (folder / "catalog.csv").write_text(catalog, encoding="utf-8")
    (folder / "card.toml").write_text(CARD, encoding="utf-8")
    exported = invoke("export", "--to", folder / "export")
    assert exported.exit_code == 0, exported.exception
    of_tables, of_export = (
        dict(_answers(invoke, folder, dates, more)) for more in ([], ["--export", folder / "export"])
    )
    for command, answer in of_tables.items():
        assert of_export[command] == answer, command
    return of_tables


def _answers(
    invoke: Callable[..., Result], folder: Path, dates: list[str], more: list[Any]
) -> Iterator[tuple[str, Any]]:
    names, card = ["--catalog", folder / "catalog.csv"], ["--rate-card", folder / "card.toml"]
    for group, columns in GROUPS.items():
        by = [option for column in columns for option in ("--by", column)]
        yield group, _told(invoke("report", *dates, *by, *names, *card, "--json", *more))
    listed = invoke("plays", *dates, *names, "--jsonl", folder / "plays.jsonl", *more)
    assert listed.exit_code == 0, listed.exception
    yield "plays", list(map(_play, (folder / "plays.jsonl").read_text(encoding="utf-8").splitlines()))
    yield "statements", _told(invoke("statements", *dates, *names, *card, "--json", *more))
    yield "catalog check", _told(invoke("catalog", "check", *dates, *names, *card, "--json", *more))
    yield "audit", _told(invoke("audit", "--json", *more))


def _play(line: str) -> dict[str, Any]:
    """A play whose numbers have no zeros at their end: DynamoDB drops them, and what stands in for it here does not."""
    values: dict[str, Any] = json.loads(line)
    numbers = {name: values[name] for name in ("avg_confidence_score", "duration_seconds")}
    return values | {name: number and Decimal(number) for name, number in numbers.items()}


def _told(result: Result) -> tuple[int, Any]:
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    values = json.loads(result.stdout)
    return result.exit_code, {name: value for name, value in values.items() if name not in _OF_THE_READING}
