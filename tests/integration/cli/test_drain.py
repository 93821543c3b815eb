"""`playlog drain`: it ends when nothing is left, says so when it cannot, and is no load on whoever cannot bear more."""

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from playlog.converting import hand_over
from playlog.failures.dead_letter import DeadLetter
from playlog.failures.recording import connect, store
from playlog.runtime.retry import Retry
from playlog_cli.app import app
from playlog_cli.commands.operating import drain as command
from playlog_cli.draining import shard_sets
from playlog_cli.draining.drain import Drained, drain
from playlog_cli.stacks.stack import Stack
from typer.testing import CliRunner, Result

from tests.support.aws import Aws
from tests.support.builders import make_item

pytest_plugins = ["tests.support.aws_fixture"]

Answer = dict[str, Any] | Exception


def run(processed: int = 0, *, plays: int = 0, failed: int = 0, waiting: bool = False) -> dict[str, Any]:
    """What the function answers."""
    counts = {"processed": processed, "plays": plays, "failed": failed, "waiting": waiting}
    return {"success": True, "message": f"{processed} matches processed", **counts}


def refused(code: str, status: HTTPStatus) -> ClientError:
    """Lambda does not take the run on."""
    error: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, "Invoke")


THROTTLED = refused("TooManyRequestsException", HTTPStatus.TOO_MANY_REQUESTS)
DENIED = refused("AccessDeniedException", HTTPStatus.FORBIDDEN)
BROKE = {"errorType": "RunError", "errorMessage": "nothing could be converted"}


@dataclass
class Lambda:
    """Stands in for a client of Lambda: one run after the other of a shard is answered as told.

    Attributes:
        answer: to a run of these shards.
        asked: the shards of each run, in order.
        most_at_work: runs at one time.
    """

    answer: Callable[[tuple[str, ...]], Answer]
    asked: list[tuple[str, ...]] = field(default_factory=list)
    most_at_work: int = 0
    _at_work: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def invoke(self, *, FunctionName: str, Qualifier: str, Payload: str) -> dict[str, Any]:  # noqa: N803 - boto3's names
        """Answers with what the function would."""
        shards = tuple(json.loads(Payload)["shards"])
        assert (FunctionName, Qualifier) == ("ConvertMatchesFunction", "live")
        with self._lock:
            self.asked.append(shards)
            self._at_work.update(shards)
            assert max(self._at_work.values()) == 1, "two runs of a drain over one shard at a time"
            self.most_at_work = max(self.most_at_work, sum(self._at_work.values()))
        try:
            answer = self.answer(shards)
        finally:
            with self._lock:
                self._at_work.subtract(shards)
        if isinstance(answer, Exception):
            raise answer
        error = {"FunctionError": "Unhandled"} if "errorMessage" in answer else {}
        return {"StatusCode": 200, "Payload": BytesIO(json.dumps(answer).encode()), **error}


def in_turn(**answers: Sequence[Answer]) -> Callable[[tuple[str, ...]], Answer]:
    """The answers to the runs of a shard, ``s3`` for shard 3; then, and to runs of others, that nothing waits."""
    left = {name.removeprefix("s"): list(each) for name, each in answers.items()}

    def answer(shards: tuple[str, ...]) -> Answer:
        return next((left[shard].pop(0) for shard in shards if left.get(shard)), run())

    return answer


def served_by(functions: Lambda, stack: Stack) -> Stack:
    """The stack, with functions that answer as told."""
    served = replace(stack)
    served.__dict__["functions"] = functions  # where the property keeps its client
    return served


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses there are, but short."""
    monkeypatch.setattr(shard_sets, "LONGEST_PAUSE", 0.001)


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def drained(stack: Stack, warnings: list[str]) -> Callable[..., tuple[Drained, Lambda]]:
    """Drains a stack whose function answers as told."""

    def drain_it(
        answer: Callable[[tuple[str, ...]], Answer], side_by_side: int | None = None
    ) -> tuple[Drained, Lambda]:
        functions = Lambda(answer)
        return drain(served_by(functions, stack), side_by_side, lambda _: None, warnings.append), functions

    return drain_it


Drain = Callable[..., tuple[Drained, Lambda]]


def test_each_shard_is_run_again_until_it_has_nothing_left(drained: Drain) -> None:
    answers = in_turn(
        s0=[run(500, plays=490, waiting=True), run(300, plays=300), run()],
        s5=[run(100, plays=100, waiting=True)] * 3 + [run(1, plays=1)],
    )

    done, functions = drained(answers)

    assert (done.shards, done.left, done.stopped) == (8, (), False)
    assert (done.runs, done.processed, done.plays, done.failed) == (3 + 5 + 6, 1_101, 1_091, 0)
    assert Counter(functions.asked) == {("0",): 3, ("5",): 5, **{(shard,): 1 for shard in "123467"}}


def test_the_shards_are_worked_on_side_by_side(drained: Drain) -> None:
    together = threading.Barrier(8)

    def answer(_: tuple[str, ...]) -> Answer:
        together.wait(timeout=10)
        return run()

    assert drained(answer)[1].most_at_work == 8


@pytest.mark.parametrize(
    ("side_by_side", "sets"),
    [
        (1, [("0", "1", "2", "3", "4", "5", "6", "7")]),
        (3, [("0", "3", "6"), ("1", "4", "7"), ("2", "5")]),
        (64, [(shard,) for shard in "01234567"]),
    ],
)
def test_so_many_sets_as_are_asked_for_hold_each_shard_once(
    drained: Drain, side_by_side: int, sets: list[tuple[str, ...]]
) -> None:
    done, functions = drained(in_turn(), side_by_side)

    assert sorted(functions.asked) == sets
    assert done.shards == 8


def test_matches_that_fail_are_waited_for_until_their_letters_are_stored(drained: Drain) -> None:
    done, functions = drained(in_turn(s2=[run(90, failed=10), run(failed=10), run(failed=7), run(failed=1), run()]))

    assert done.left == ()
    assert functions.asked.count(("2",)) == 5
    assert done.failed == 28


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (run(failed=7), "7 matches failed in the last one: `playlog status` shows whether dead letters are stored"),
        (run(0, waiting=True), "the last run said: 0 matches processed"),
        (run(failed=3, waiting=True), "the last run said: 0 matches processed"),
        (BROKE, "the run failed: RunError: nothing could be converted"),
        (ReadTimeoutError(endpoint_url="https://lambda"), "no answer in time from https://lambda"),
    ],
    ids=["fails again and again", "does nothing", "pushes and does nothing", "breaks", "does not answer"],
)
def test_a_shard_that_gets_nowhere_is_given_up_and_the_others_are_drained(
    drained: Drain, answer: Answer, told: str
) -> None:
    done, functions = drained(in_turn(s2=[answer] * 99, s3=[run(5, waiting=True)] * 9))

    (left,) = done.left
    assert left.shards == (2,)
    assert left.reason.startswith("5 runs in a row made no progress: ")
    assert told in left.reason
    assert 5 <= functions.asked.count(("2",)) <= 6
    assert (done.shards, done.processed) == (7, 45)


def test_new_matches_that_fail_do_not_keep_a_drain_from_its_end(drained: Drain) -> None:
    """A detection system goes on writing meanwhile."""
    done, _ = drained(in_turn(s2=[run(9_000, failed=2), *[run(30, failed=2)] * 99]))

    assert [left.shards for left in done.left] == [(2,)]


def test_new_matches_that_are_played_do_not_keep_a_drain_from_its_end(drained: Drain) -> None:
    done, functions = drained(in_turn(s2=[run(9_000, waiting=True), *[run(30)] * 99]))

    assert done.left == ()
    assert functions.asked.count(("2",)) == 3


def test_a_run_that_failed_is_reported_and_repeated(drained: Drain, warnings: list[str]) -> None:
    done, _ = drained(in_turn(s2=[BROKE, run(5), BROKE, BROKE, BROKE, BROKE, run()]))

    assert (done.left, done.processed) == ((), 5)
    assert len(warnings) == 5
    assert warnings[0].startswith("shard 2: the run failed: RunError: nothing could be converted")


def test_the_number_of_runs_follows_what_lambda_accepts(drained: Drain) -> None:
    """As in a new account, which may run ten at a time, with others' functions among them."""
    room = threading.Semaphore(2)
    backlog: Counter[tuple[str, ...]] = Counter({(shard,): 5 for shard in "01234567"})

    def answer(shards: tuple[str, ...]) -> Answer:
        if not room.acquire(blocking=False):
            return THROTTLED
        try:
            threading.Event().wait(0.005)
            backlog[shards] -= 1
            return run(10, waiting=True) if backlog[shards] > 0 else run()
        finally:
            room.release()

    done, functions = drained(answer)

    assert (done.shards, done.left, done.processed) == (8, (), 8 * 4 * 10)
    assert len(functions.asked) - done.runs < 2 * done.runs, "it asks again and again for what it will not get"


def test_a_drain_ends_when_lambda_refuses_every_run(drained: Drain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shard_sets, "LONGEST_PAUSE", 0.05)

    done, functions = drained(lambda _: THROTTLED)

    (left,) = done.left
    assert left.shards == tuple(range(8))
    assert left.reason.startswith(
        "Lambda refused every run, 8 times in a row: AWS is throttling (Invoke: TooManyRequests"
    )
    assert len(functions.asked) < 20
    assert done.seconds > 7 * 0.05, "Lambda is given time between"


def test_an_error_that_only_a_person_can_repair_is_not_repeated(drained: Drain) -> None:
    done, functions = drained(lambda _: DENIED)

    (left,) = done.left
    assert left.shards == tuple(range(8))
    assert left.reason.startswith("AWS denies this to the credentials in use (Invoke: AccessDeniedException")
    assert len(functions.asked) == 8


def test_ctrl_c_waits_for_no_run_and_says_what_was_done(stack: Stack) -> None:
    begun, forever = threading.Event(), threading.Event()

    def answer(shards: tuple[str, ...]) -> Answer:
        if shards == ("0",):
            begun.wait(10)
            return run(7, waiting=True)
        begun.set()
        forever.wait(10)
        return run()

    def interrupt(_: Drained) -> None:
        raise KeyboardInterrupt

    done = drain(served_by(Lambda(answer), stack), None, interrupt, lambda _: None)
    forever.set()

    assert (done.stopped, done.runs, done.processed, done.at_work) == (True, 1, 7, 7)


def test_what_waits_is_played_or_failed_when_it_is_drained(aws: Aws, stack: Stack) -> None:
    """With the function itself, and the other one between its runs."""
    aws.put(*(make_item(f"m-{n}", station_id={"S": str(n)}, unprocessed_shard={"S": str(n % 8)}) for n in range(24)))
    aws.put(make_item("silent", track_id={"S": " "}), make_item("cinema", source={"S": "Cinema"}))
    connection = connect(stack.match_cache_table, stack.failed_play_log_table)

    def answer(shards: tuple[str, ...]) -> Answer:
        invocation = hand_over.Invocation("", 110_000)
        event = {"shards": list(shards)}
        done = hand_over.run(event, aws.convert_settings, aws.client, aws.sqs, lambda: stack.functions, invocation)
        for letter in aws.take_letters():
            store(DeadLetter.from_json(letter), connection, Retry(aws.clock.now + 10))
        return done.as_answer()

    done = drain(served_by(Lambda(answer), stack), 2, lambda _: None, lambda _: None)

    assert (done.shards, done.left, done.processed, done.plays) == (8, (), 24, 24)
    assert not [match for match in aws.matches() if "unprocessed_shard" in match]
    assert aws.violations() == []


@pytest.fixture
def playlog(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command, over a stack whose function answers as told."""

    def type_it(answer: Callable[[tuple[str, ...]], Answer], *arguments: str) -> Result:
        monkeypatch.setattr(command, "find_stack", lambda *_, **__: served_by(Lambda(answer), stack))
        return CliRunner().invoke(app, ["drain", *arguments])

    return type_it


def test_the_summary_says_what_was_done(playlog: Callable[..., Result]) -> None:
    shown = playlog(in_turn(s1=[run(1_500, plays=1_400, waiting=True)]))

    first, header, counts = shown.stdout.splitlines()
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert first.startswith("8 shards drained by 9 runs in ")
    assert header.split() == ["processed", "plays", "failed", "matches/s"]
    assert counts.split()[:3] == ["1,500", "1,400", "0"]


def test_json_says_the_same(playlog: Callable[..., Result]) -> None:
    shown = playlog(in_turn(s1=[run(failed=1)] * 99), "--json", "--side-by-side", "4")

    told = json.loads(shown.stdout)
    assert shown.exit_code == 1
    assert [left["shards"] for left in told["left"]] == [[1, 5]]
    assert {name: told[name] for name in ("shards", "processed", "plays", "stopped", "at_work")} == {
        "shards": 6,
        "processed": 0,
        "plays": 0,
        "stopped": False,
        "at_work": 0,
    }


def test_shards_that_were_not_drained_are_an_error_that_names_them(playlog: Callable[..., Result]) -> None:
    shown = playlog(in_turn(s1=[BROKE] * 99))

    assert shown.exit_code == 1
    assert shown.stdout.startswith("7 shards drained by ")
    assert shown.stderr.count("shard 1: the run failed: RunError") == 5
    assert "playlog: shard 1: 5 runs in a row made no progress: the run failed" in shown.stderr


@pytest.mark.parametrize("as_json", [False, True])
def test_a_drain_that_was_stopped_is_no_success(
    playlog: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    @contextmanager
    def stops_at_the_first() -> Iterator[Callable[[Drained], None]]:
        def told(_: Drained) -> None:
            raise KeyboardInterrupt

        yield told

    monkeypatch.setattr(command, "_progress", stops_at_the_first)
    shown = playlog(in_turn(s0=[run(7, waiting=True)]), *(["--json"] if as_json else []), "--side-by-side", "1")

    assert shown.exit_code == 130
    if as_json:
        assert json.loads(shown.stdout)["stopped"] is True
    else:
        assert shown.stdout.startswith("0 shards drained by 1 run in ")
        assert "playlog: stopped: 0 runs go on and end by themselves" in shown.stderr


ENDLESS = """
import os, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # Python installs none where its parent ignores SIGINT
from types import SimpleNamespace
from playlog_cli.draining.drain import drain

class Lambda:
    def invoke(self, **_):
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait()

stack = SimpleNamespace(name="playlog", shards=1, functions=Lambda(), convert_matches_function="ConvertMatchesFunction")
print(drain(stack, None, lambda _: None, print).stopped)
"""


@pytest.mark.parametrize("inherited", [signal.SIG_DFL, signal.SIG_IGN], ids=["default", "ignored"])
def test_ctrl_c_ends_the_process_though_runs_go_on(inherited: signal.Handlers) -> None:
    """Whatever the parent does with SIGINT: under nohup, or in the background of a script, it is ignored."""
    before = signal.signal(signal.SIGINT, inherited)
    try:
        ended = subprocess.run([sys.executable, "-c", ENDLESS], capture_output=True, text=True, timeout=60, check=False)
    finally:
        signal.signal(signal.SIGINT, before)

    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr
