"""Deployments that cannot work are refused before the alias moves, and runs go on with the version that is live."""

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from playlog.runtime.settings import LIVE
from playlog_cli.embedded import ministack
from playlog_cli.embedded.session import Server, Session, session
from playlog_cli.errors import CommandError
from playlog_cli.stacks.stack import Stack, find_stack
from playlog_cli.stacks.versions import roll_back, versions
from playlog_cli.wiring.release import stamp

PARAMETERS = {"ScheduleExpression": "rate(1 day)"}
# What the issue asks for: runs during deployments, over all of them.
RUNS = 200


@dataclass
class Runs:
    """Runs of the live version, one after the other, and what went wrong in them."""

    count: int = 0
    failed: list[str] = field(default_factory=list)


RUNS_SO_FAR = Runs()


@dataclass(frozen=True)
class Deployed:
    """A stack of these tests' own, and its built template."""

    session: Session
    server: Server
    stack: Stack

    @property
    def template(self) -> Path:
        return self.session.build / "template.yaml"

    def live(self) -> dict[str, str]:
        """The live version of both functions."""
        names = (self.stack.convert_matches_function, self.stack.store_failures_function)
        aliases = (self.stack.functions.get_alias(FunctionName=name, Name=LIVE) for name in names)
        return {alias["AliasArn"].split(":")[-2]: alias["FunctionVersion"] for alias in aliases}

    def deploy(self, change: Callable[[dict[str, Any]], None], **parameters: str) -> None:
        """Deploys the built template with a change, which is gone again afterwards."""
        built = self.template.read_text(encoding="utf-8")
        document = yaml.safe_load(built)
        change(document)
        try:
            self.template.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
            stamp(self.template)
            ministack.deploy(self.session, self.server, {**PARAMETERS, **parameters})
        finally:
            self.template.write_text(built, encoding="utf-8")

    @contextmanager
    def runs(self) -> Iterator[None]:
        """Invokes the live version again and again while the block lasts."""
        ended = threading.Event()
        functions = self.stack.session.client("lambda")

        def run() -> None:
            while not ended.is_set():
                answer = functions.invoke(
                    FunctionName=self.stack.convert_matches_function, Qualifier=LIVE, Payload=b'{"shards": ["5"]}'
                )
                payload = answer["Payload"].read().decode()
                RUNS_SO_FAR.count += 1
                if "FunctionError" in answer or not json.loads(payload).get("success"):
                    RUNS_SO_FAR.failed.append(payload)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


@pytest.fixture(scope="module")
def deployed() -> Iterator[Deployed]:
    with ministack.deployed("deployments", PARAMETERS) as server:
        yield Deployed(session("deployments"), server, find_stack())


def function(document: dict[str, Any], name: str = "ConvertMatchesFunction") -> dict[str, Any]:
    properties: dict[str, Any] = document["Resources"][name]["Properties"]
    return properties


def code(folder: Path, text: str) -> Callable[[dict[str, Any]], None]:
    """Gives ConvertMatches other code."""

    def change(document: dict[str, Any]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "app.py").write_text(text)
        function(document)["CodeUri"] = str(folder)

    return change


def without_permission(document: dict[str, Any]) -> None:
    policy = document["Resources"]["ConvertMatchesRole"]["Properties"]["Policies"][0]["PolicyDocument"]
    policy["Statement"] = [each for each in policy["Statement"] if each.get("Sid") != "MarkMatchesPlayed"]


def with_unknown_table(document: dict[str, Any]) -> None:
    function(document)["Environment"]["Variables"]["PLAY_LOG_TABLE"] = "no-such-table"


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        ("import no_such_package\n", "no_such_package"),
        (without_permission, "dynamodb:UpdateItem on table"),
        (with_unknown_table, "dynamodb:PutItem on table no-such-table is denied"),
        ("def handler(event, context):\n    raise RuntimeError('at once')\n", "at once"),
    ],
    ids=["handler that cannot be imported", "permission removed", "table that does not exist", "raises at once"],
)
def test_a_deployment_that_cannot_work_would_go_live(
    deployed: Deployed, tmp_path: Path, breaks: Callable[[dict[str, Any]], None] | str, says: str
) -> None:
    live = deployed.live()

    with deployed.runs(), pytest.raises(CommandError) as refused:
        deployed.deploy(code(tmp_path / "code", breaks) if isinstance(breaks, str) else breaks)

    assert "did not pass its check, so nothing went live" in str(refused.value)
    assert says in str(refused.value)
    assert deployed.live() == live
    assert RUNS_SO_FAR.failed == []


def test_a_sound_deployment_would_not_go_live(deployed: Deployed) -> None:
    before = deployed.live()

    with deployed.runs():
        deployed.deploy(lambda _document: None, BatchSize="50", LogLevel="DEBUG")

    after = deployed.live()
    assert all(int(after[name]) > int(version) for name, version in before.items())
    configuration = deployed.stack.functions.get_function_configuration(
        FunctionName=deployed.stack.convert_matches_function, Qualifier=LIVE
    )
    assert configuration["Environment"]["Variables"]["BATCH_SIZE"] == "50"
    assert RUNS_SO_FAR.failed == []


def test_runs_would_fail_during_deployments(deployed: Deployed) -> None:
    with deployed.runs():
        threading.Event().wait(1)

    assert RUNS_SO_FAR.count >= RUNS
    assert RUNS_SO_FAR.failed == []


def test_an_earlier_version_could_not_be_made_live_again(deployed: Deployed) -> None:
    names = (deployed.stack.convert_matches_function, deployed.stack.store_failures_function)
    first = {name: versions(deployed.stack.functions, name)[-1] for name in names}

    with deployed.runs():
        roll_back(deployed.stack, {name: version.number for name, version in first.items()})

    assert deployed.live() == {name: version.number for name, version in first.items()}
    assert RUNS_SO_FAR.failed == []
    assert all(version.release.startswith(first[names[0]].name) for version in first.values())


def test_a_version_that_cannot_work_would_be_made_live_again(deployed: Deployed) -> None:
    name = deployed.stack.convert_matches_function
    functions = deployed.stack.functions
    before = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, "PLAY_LOG_TABLE": "no-such-table"}}
    )
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    broken = functions.publish_version(FunctionName=name)["Version"]
    live = deployed.live()

    with pytest.raises(CommandError, match=r"nothing was rolled back: .*no-such-table"):
        roll_back(deployed.stack, {name: broken})

    assert deployed.live() == live
