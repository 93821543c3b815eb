"""`{"check": true}`: could a real invocation of this function do its work? See docs/contract.md, The messages."""

import json
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from playlog.checking import parts
from playlog.checking.parts import CheckError, Part
from playlog.runtime.settings import LIVE, ConvertSettings, SettingsError, StoreSettings

# Makes a client of an AWS service, by its name.
Clients = Callable[[str], Any]


def is_check(event: Any) -> bool:
    """Whether an event asks for a check and not for a real invocation."""
    return isinstance(event, dict) and event.get("check") is True


def check_convert(environment: Mapping[str, str], client: Clients, function: str) -> dict[str, Any]:
    """Checks ConvertMatches.

    Args:
        environment: of the function.
        client: makes a client of a service.
        function: name of the function, which hands over to itself.

    Returns:
        The answer of the check.

    Raises:
        CheckError: something is missing. The text names all of it.
    """
    settings = _settings(lambda: ConvertSettings.from_environment(environment))
    dynamodb, matches, plays = client("dynamodb"), settings.match_cache_table, settings.play_log_table
    play_key = {"station_id": "S", "play_id": "S"}
    return _answer(
        [
            parts.query(dynamodb, matches, ("unprocessed_shard", "matched_at"), "0", "unprocessed-index"),
            parts.write(dynamodb, "Update", matches, {"match_id": "S"}),
            parts.write(dynamodb, "Put", plays, play_key),
            parts.write(dynamodb, "Update", plays, play_key),
            parts.query(dynamodb, plays, ("station_id", "play_id"), parts.KEY),
            parts.get(dynamodb, settings.station_guard_table, "station_id"),
            parts.write(dynamodb, "Update", settings.station_guard_table, {"station_id": "S"}),
            parts.send(client("sqs"), settings.dead_letter_queue_url),
            parts.invoke(client("lambda"), function, LIVE),
        ]
    )


def check_store(environment: Mapping[str, str], client: Clients) -> dict[str, Any]:
    """Checks StoreFailures.

    Args:
        environment: of the function.
        client: makes a client of a service.

    Returns:
        The answer of the check.

    Raises:
        CheckError: something is missing. The text names all of it.
    """
    settings = _settings(lambda: StoreSettings.from_environment(environment))
    dynamodb, failures = client("dynamodb"), settings.failed_play_log_table
    return _answer(
        [
            parts.write(dynamodb, "Put", failures, {"match_id": "S", "attempt": "N"}),
            parts.query(dynamodb, failures, ("match_id", "attempt"), parts.KEY),
            parts.write(dynamodb, "Update", settings.match_cache_table, {"match_id": "S"}),
            *parts.receive(client("sqs"), settings.dead_letter_queue_url),
        ]
    )


def _settings(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except SettingsError as error:
        print(json.dumps({"check": True, "missing": [str(error)]}))
        raise CheckError(f"settings: {error}") from error


def _answer(proven: Iterable[Part]) -> dict[str, Any]:
    proven = list(proven)
    missing = [*_modules_that_fail(), *parts.problems(proven)]
    # Not by the logger, which has a level: what reads the log must know that this was no run.
    print(json.dumps({"check": True, "missing": missing}))
    if missing:
        raise CheckError("; ".join(missing))
    return {"success": True, "checked": ["settings", "code", *(part.name for part in proven)]}


def _modules_that_fail() -> list[str]:
    """Modules of the layer that cannot be imported, also those that a real invocation imports only on a bad day."""
    failed = []
    for module in pkgutil.walk_packages(import_module("playlog").__path__, "playlog."):
        try:
            import_module(module.name)
        except Exception as error:  # noqa: BLE001 - whatever an import raises, the function could not run
            failed.append(f"code: {module.name} cannot be imported: {type(error).__name__}: {error}")
    return failed
