"""``make mutants``: for each kind of fault, code that is weaker in one place, which rounds of that fault have to find.

Each mutation is made in a copy of the layer and the functions. Its rounds are played there until a seed finds it; that
seed must find nothing in the code as it is. Exit status 1 if a mutant survives, or if its place is no longer there.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from playlog_cli.embedded.session import Server
from playlog_cli.errors import CommandError
from playlog_cli.terminal import err, out

from tests.chaos.faults import Fault
from tests.chaos.first_violation import Found
from tests.chaos.round import Arena, arena, play_round
from tests.chaos.stack import embedded_aws

ROOT = Path(__file__).parents[2]
PACKAGE = "layers/playlog/python/playlog"
# What the rounds in a copy read of it; the command-line package they have from here.
COPIED = ("layers/playlog", "functions", "tests", "template.yaml")
SEEDS = 60
# Each mutant has seeds of its own: SQS gives the name of a queue again only a minute after it was deleted.
SEEDS_APART = 1_000


@dataclass(frozen=True)
class Mutant:
    """A place where the code can be weakened.

    Attributes:
        fault: the kind whose rounds have to find it.
        file: in the checkout.
        old: what stands there, once.
        new: what it is replaced with.
        why: what the code would do then.
    """

    fault: Fault
    file: str
    old: str
    new: str
    why: str


MUTANTS = (
    Mutant(
        Fault.THROTTLED,
        f"{PACKAGE}/runtime/retry.py",
        '        "ProvisionedThroughputExceededException",\n',
        "",
        "a throttled table is taken for one that refuses the request for good",
    ),
    Mutant(
        Fault.CANCELLED,
        f"{PACKAGE}/converting/writing/answers.py",
        'if reason["Code"] != CONDITION_FAILED\n',
        'if reason["Code"] == "None"\n',
        "a match that was in conflict is taken for one that no longer waits, and nobody is told",
    ),
    Mutant(
        Fault.ERROR_BEFORE,
        f"{PACKAGE}/runtime/retry.py",
        "                last = error\n            except (ConnectionError",
        "                return error.response  # type: ignore\n            except (ConnectionError",
        "an answer that says that AWS has trouble is taken for one that says that it is done",
    ),
    Mutant(
        Fault.ERROR_AFTER,
        f"{PACKAGE}/runtime/retry.py",
        "answer = request(**arguments)",
        'answer = request(**{**arguments, **({"token": str(random.random())} if "token" in arguments else {})})',
        "a request that is sent again has a new token: what the first one did is nobody's doing",
    ),
    Mutant(
        Fault.RESET_BEFORE,
        f"{PACKAGE}/runtime/retry.py",
        "last = error  # the connection failed",
        "return {}  # the connection failed",
        "a connection that fails is taken for an answer",
    ),
    Mutant(
        Fault.RESET_AFTER,
        f"{PACKAGE}/dynamodb/client.py",
        '"ClientRequestToken":"{token}"',
        '"ClientRequestToken":"{datetime.now(UTC).timestamp()}"',
        "a transaction has another token each time that it is sent",
    ),
    Mutant(
        Fault.UNREACHABLE,
        f"{PACKAGE}/runtime/retry.py",
        "except (ConnectionError, HTTPClientError, ResponseParserError)",
        "except (HTTPClientError, ResponseParserError)",
        "nobody there is no reason to ask again",
    ),
    Mutant(
        Fault.TRUNCATED,
        f"{PACKAGE}/dynamodb/client.py",
        "if response.status_code < 300:\n            raise ResponseParserError",
        "if False:\n            raise ResponseParserError",
        "an answer that ended before its end is taken for one that says nothing",
    ),
    Mutant(
        Fault.SLOW_REQUEST,
        f"{PACKAGE}/runtime/retry.py",
        "milliseconds_left / 1000 - seconds_kept",
        "milliseconds_left / 1000",
        "requests begin until the function's time is up, and end after it",
    ),
    Mutant(
        Fault.SLOW_ANSWER,
        f"{PACKAGE}/dynamodb/client.py",
        '"ClientRequestToken":"{token}"',
        '"ClientRequestToken":"{datetime.now(UTC).timestamp()}"',
        "as above: a transaction that nobody waited for any longer is sent again as another one",
    ),
    Mutant(
        Fault.PARTIAL_BATCH,
        f"{PACKAGE}/failures/sending.py",
        'for accepted in answer.get("Successful", []):',
        "for accepted in entries:",
        "a batch that was taken in part is taken for taken",
    ),
    Mutant(
        Fault.STALE_PAGE,
        f"{PACKAGE}/converting/writing/actions.py",
        '"attribute_exists(unprocessed_shard) AND NOT #processed = :true"',
        '"attribute_exists(match_id)"',
        "what the index shows is believed: a match that was played is played again",
    ),
    Mutant(
        Fault.REPEATED_PAGE,
        f"{PACKAGE}/converting/reading.py",
        'item for item in answer["Items"]}',
        'item for item in answer["Items"] if answer["Items"].count(item) == 1}',
        "a match that a page shows twice is left out, and nobody is told",
    ),
    Mutant(
        Fault.LAGGING_PAGE,
        f"{PACKAGE}/converting/reading.py",
        'if "LastEvaluatedKey" not in answer:',
        'if "LastEvaluatedKey" not in answer or not page:',
        "an empty page is taken for the end of the shard",
    ),
    Mutant(
        Fault.EXPIRED,
        f"{PACKAGE}/converting/writing/actions.py",
        '"attribute_exists(unprocessed_shard) AND NOT #processed = :true"',
        '"NOT #processed = :true"',
        "a match that has expired since the index showed it is made anew, and played again",
    ),
    Mutant(
        Fault.KILLED,
        f"{PACKAGE}/converting/writing/sending.py",
        """            self._retry.call(
                self._dynamodb.transact_write_items,
                self.target,
                actions=transaction.actions(self._tables),
                token=str(uuid4()),
            )
""",
        """            actions = transaction.actions(self._tables)
            for number, action in enumerate(actions):
                reasons = [{"Code": "None"} for _ in actions]
                try:
                    self._retry.call(
                        self._dynamodb.transact_write_items, self.target, actions=[action], token=str(uuid4())
                    )
                except RequestError as error:
                    if error.code != "TransactionCanceledException":
                        raise
                    [reasons[number]] = error.answer["CancellationReasons"]
                    return Cancelled(reasons)
""",
        "a play is written in one transaction, and its matches marked in the next",
    ),
    Mutant(
        Fault.RUNS_AT_ONCE,
        f"{PACKAGE}/converting/writing/actions.py",
        'condition = "match_count = :read"',
        'condition = "match_count >= :read"',
        "a match that another run has counted in meanwhile is counted out again",
    ),
    Mutant(
        Fault.LETTER_TWICE,
        f"{PACKAGE}/failures/recording.py",
        '        if about_match == "ConditionalCheckFailed":\n            return False',
        '        if about_match == "ConditionalCheckFailed":\n            raise RefusedLetterError',
        "a letter that was stored before is taken for one that cannot be stored",
    ),
    Mutant(
        Fault.LETTER_LATE,
        f"{PACKAGE}/failures/recording.py",
        "matches.attempts < letter.attempt",
        "matches.attempts <= letter.attempt",
        "a letter of an earlier attempt fails a match that a person has retried",
    ),
    Mutant(
        Fault.LETTERS_SHUFFLED,
        "functions/store_failures/app.py",
        "processor=processor, context=context)",
        'processor=processor, context=context) and {"batchItemFailures": []}',
        "a letter that cannot be stored is done with, wherever in its batch it stands",
    ),
    Mutant(
        Fault.LETTERS_DURING_RUN,
        f"{PACKAGE}/failures/recording.py",
        "token = str(uuid4())",
        "token = letter.match_id[:36]",
        "all letters of a match have one token: the second is another request than the first",
    ),
)


def mutants(
    faults: Annotated[list[Fault] | None, typer.Option("--fault", help="Of this kind alone. Repeatable.")] = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=SEEDS_APART, help="A mutant that so many miss has survived.")
    ] = SEEDS,
) -> None:
    """Weaken the code in one place after the other, and see which seed finds out."""
    chosen = [(number, mutant) for number, mutant in enumerate(MUTANTS) if not faults or mutant.fault in faults]
    survived = 0
    with embedded_aws("mutants") as server, embedded_aws("mutants-control") as control, arena(control) as here:
        for number, mutant in chosen:
            out.print(f"{mutant.fault}: {mutant.why}", style="bold", soft_wrap=True)
            try:
                with _copy_with(mutant) as (copy, line):
                    out.print(f"  {mutant.file}:{line}: {mutant.old.strip().splitlines()[0]}", soft_wrap=True)
                    found = _found(
                        mutant, copy, range(number * SEEDS_APART, number * SEEDS_APART + seeds), server, here
                    )
            except CommandError as error:
                survived += 1
                err.print(f"  {error}", soft_wrap=True)
                continue
            out.print(f"  seed {found.seed} finds it, in round {found.rounds}: {found.violations[0]}", soft_wrap=True)
    out.print(f"{len(chosen) - survived} of {len(chosen)} mutants were found")
    if survived:
        raise typer.Exit(1)


@contextmanager
def _copy_with(mutant: Mutant) -> Iterator[tuple[Path, int]]:
    """A copy of the code with the mutation in it, and the line on which that begins.

    Raises:
        CommandError: what it replaces is not there, or not once.
    """
    text = (ROOT / mutant.file).read_text()
    times = text.count(mutant.old)
    if times != 1:
        raise CommandError(f"{mutant.file} holds {mutant.old!r} {times} times: mend this mutant in {__file__}")
    before, after = text.split(mutant.old)
    with TemporaryDirectory(prefix="playlog-mutant-") as folder:
        copy = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, copy / name)
        (copy / mutant.file).write_text(f"{before}{mutant.new}{after}")
        yield copy, before.count("\n") + 1


def _found(mutant: Mutant, copy: Path, seeds: range, server: Server, control: Arena) -> Found:
    """Looks for a seed that finds the mutant, and nothing in the code as it is.

    Raises:
        CommandError: none does.
    """
    rounds = 0
    left = seeds
    while left and (found := _first_violation(mutant, copy, left, server)):
        rounds += found.rounds
        if not play_round(control, found.seed, [mutant.fault]).violations:
            return Found(found.seed, rounds, found.violations)
        err.print(f"  seed {found.seed} finds something without it as well: it is left out")
        left = range(found.seed + 1, seeds.stop)
    raise CommandError(f"survived {len(seeds)} rounds: nothing found that it is there")


def _first_violation(mutant: Mutant, copy: Path, seeds: range, server: Server) -> Found | None:
    """Plays rounds in a process of its own, which imports the copy."""
    command = [sys.executable, "-m", "tests.chaos.first_violation"]
    command += [mutant.fault.value, str(seeds.start), str(seeds.stop), json.dumps(asdict(server))]
    paths = [str(copy / PACKAGE / ".."), str(copy)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    finished = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False)
    if finished.returncode:
        raise CommandError("the rounds broke off: " + finished.stderr.strip()[-2_000:])
    found = json.loads(finished.stdout.splitlines()[-1])
    return Found(**found) if found else None


if __name__ == "__main__":
    try:
        typer.run(mutants)
    except CommandError as error:
        err.print(f"mutants: {error}", soft_wrap=True)
        sys.exit(1)
