"""What is in the embedded AWS when a command of the docs is executed: the stages, in order."""

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playlog_cli.embedded.ministack import deployed
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import Stack, find_stack

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "samples/airplay.csv"
FAILED = 27  # matches of the sample day that cannot be converted
COLUMNS = 100
# One run a day: a scheduled run between two commands would change what the second one prints.
PARAMETERS = {"ScheduleExpression": "rate(1 day)"}
SECONDS = 120


@dataclass(frozen=True)
class Stage:
    """A state of the stack.

    Attributes:
        name: as the markers of the pages name it.
        prepare: brings the stack from the stage before to this one.
    """

    name: str
    prepare: Callable[[Stack], None]


def _nothing(_stack: Stack) -> None:
    """The stack is as it was deployed."""


def _load(stack: Stack) -> None:
    assert load_files(stack, [SAMPLE], lambda _file: None).ok


def _convert(stack: Stack) -> None:
    """Converts what waits in one run, and waits until StoreFailures has recorded each failure."""
    assert not convert(stack).waiting, "one run did not convert the sample day: is the machine too busy?"
    dynamodb = stack.session.client("dynamodb")
    ends = time.monotonic() + SECONDS
    while dynamodb.scan(TableName=stack.failed_play_log_table, Select="COUNT")["Count"] < FAILED or _letters(stack):
        assert time.monotonic() < ends, "the failures of the sample day were not recorded in time"
        time.sleep(0.5)


def _letters(stack: Stack) -> int:
    """How many dead letters wait or are in flight."""
    answer = stack.sqs.get_queue_attributes(QueueUrl=stack.dead_letter_queue_url, AttributeNames=["All"])
    counts = answer["Attributes"]
    return int(counts["ApproximateNumberOfMessages"]) + int(counts["ApproximateNumberOfMessagesNotVisible"])


def _strand(stack: Stack) -> None:
    """A writer leaves out the shard and the time of a match."""
    item = {name: {"S": f"{name[0]}-9"} for name in ("match_id", "track_id", "station_id")}
    stack.session.client("dynamodb").put_item(
        TableName=stack.match_cache_table, Item={**item, "match_id": {"S": "s-9"}}
    )


def _disable(stack: Stack) -> None:
    """Somebody disables the schedule."""
    events = stack.session.client("events")
    for rule in events.list_rules()["Rules"]:
        events.disable_rule(Name=rule["Name"])


STAGES = (
    Stage("empty", _nothing),
    Stage("loaded", _load),
    Stage("converted", _convert),
    Stage("stranded", _strand),
    Stage("disabled", _disable),
)


def run(command: str, *, colour: bool = False) -> str:
    """Executes a command line as a user would, in the checkout, and returns what it prints.

    Args:
        command: a command of playlog or make, without a shell around it.
        colour: whether it prints as to a terminal.
    """
    words = shlex.split(command)
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name in ("NO_COLOR", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # make within make would print where it works
        environment.pop(name, None)
    if colour:
        environment |= {"FORCE_COLOR": "1", "TTY_INTERACTIVE": "0", "TERM": "xterm-256color"}
    ended = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    # Commands end with 1 where they found a problem: that is worth showing. Any other failure is not.
    assert ended.returncode in (0, 1), f"{command} ended with {ended.returncode}: {ended.stderr}"
    assert "Traceback" not in ended.stderr, ended.stderr
    printed = ended.stdout if ended.stdout.strip() else ended.stderr
    return "\n".join(line.rstrip() for line in printed.splitlines())


@contextmanager
def session() -> Iterator[Stack]:
    """The template in an embedded AWS of its own, with nothing in it."""
    with deployed("docs", PARAMETERS):
        yield find_stack()


Shown = Sequence[tuple[str, str]]
Outputs = dict[tuple[str, str], str]


def outputs(plain: Shown, coloured: Shown) -> tuple[Outputs, Outputs]:
    """Executes commands, each at its stage.

    Commands of one stage must not change anything, unless they are the only one of the stage.

    Args:
        plain: stage and command of what is printed as to a file.
        coloured: stage and command of what is printed as to a terminal.

    Returns:
        What the plain commands and the coloured commands printed, by stage and command.
    """
    unknown = {stage for stage, _command in [*plain, *coloured]} - {stage.name for stage in STAGES}
    assert not unknown, f"tests/docs/stages.py has no stage {', '.join(sorted(unknown))}"
    found: tuple[Outputs, Outputs] = ({}, {})
    with session() as stack:
        for stage in STAGES:
            stage.prepare(stack)
            for wanted, printed in zip((plain, coloured), found, strict=True):
                for command in dict.fromkeys(command for name, command in wanted if name == stage.name):
                    printed[stage.name, command] = run(command, colour=printed is found[1])
    return found
