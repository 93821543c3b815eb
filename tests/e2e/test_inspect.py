"""`playlog inspect` on the deployed stack, broken in each way: what it says, and whether its mend mends that."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.request import urlopen

import pytest
import typer
from playlog_cli.commands.operating.inspect import inspect_command
from playlog_cli.inspecting.facts import Facts
from playlog_cli.inspecting.look import look
from playlog_cli.inspecting.problems import Problem, problems
from playlog_cli.stacks.stack import Stack

from tests.e2e.tables import wait_for
from tests.support import aws_cli

SCHEDULE, MAPPING = "ConvertMatchesFunctionSchedule", "StoreFailuresFunctionDeadLetters"


@dataclass(frozen=True)
class Deployed:
    """The stack, and what to break it with."""

    stack: Stack
    rule: str
    target: dict[str, Any]

    def client(self, service: str) -> Any:
        """For any operation."""
        return self.stack.session.client(service)  # type: ignore[call-overload]

    @property
    def mapping(self) -> str:
        """What reads the dead-letter queue: one made anew has another id."""
        (mapping,) = self.facts().mappings
        return mapping.uuid

    def facts(self) -> Facts:
        """As AWS tells of it now."""
        return look(self.stack, datetime.now(UTC))

    def problems(self) -> list[Problem]:
        """What is wrong, but for how the runs of other tests ended."""
        return [each for each in problems(self.facts()) if not is_of_runs(each)]


def is_of_runs(problem: Problem) -> bool:
    """Whether it is about how runs ended, and not about whether they can be."""
    return problem.resource == "ConvertMatchesFunction" and problem.wrong.startswith(("the last run", "no run"))


@pytest.fixture(scope="module")
def deployed(stack: Stack) -> Deployed:
    resources = stack.session.client("cloudformation").list_stack_resources(StackName=stack.name)
    names = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in resources["StackResourceSummaries"]}
    events = stack.session.client("events")
    (target,) = events.list_targets_by_rule(Rule=names[SCHEDULE])["Targets"]
    return Deployed(stack, names[SCHEDULE], dict(target))


@pytest.fixture(autouse=True)
def sound(deployed: Deployed) -> Iterator[None]:
    """Whatever a test leaves broken ends with it."""
    yield
    assert deployed.problems() == []


def disable_rule(deployed: Deployed) -> None:
    deployed.client("events").disable_rule(Name=deployed.rule)


def remove_rule(deployed: Deployed) -> None:
    remove_target(deployed)
    deployed.client("events").delete_rule(Name=deployed.rule)


def remove_target(deployed: Deployed) -> None:
    deployed.client("events").remove_targets(Rule=deployed.rule, Ids=[deployed.target["Id"]])


def target_another_function(deployed: Deployed) -> None:
    functions = deployed.facts().functions
    arn = next(each.arn for each in functions if each.logical_id == "StoreFailuresFunction")
    deployed.client("events").put_targets(Rule=deployed.rule, Targets=[{**deployed.target, "Arn": arn}])


def target_nothing(deployed: Deployed) -> None:
    """As after a renaming that the schedule was forgotten in."""
    arn = deployed.target["Arn"].rpartition(":")[0] + ":process-matches"
    deployed.client("events").put_targets(Rule=deployed.rule, Targets=[{**deployed.target, "Arn": arn}])


def forbid_invocation(deployed: Deployed) -> None:
    function = f"{deployed.stack.convert_matches_function}:live"
    policy = json.loads(deployed.client("lambda").get_policy(FunctionName=function)["Policy"])
    (statement,) = policy["Statement"]
    deployed.client("lambda").remove_permission(FunctionName=function, StatementId=statement["Sid"])


def let_none_run(deployed: Deployed) -> None:
    deployed.client("lambda").put_function_concurrency(
        FunctionName=deployed.stack.convert_matches_function, ReservedConcurrentExecutions=0
    )


def disable_mapping(deployed: Deployed) -> None:
    deployed.client("lambda").update_event_source_mapping(UUID=deployed.mapping, Enabled=False)


def remove_mapping(deployed: Deployed) -> None:
    deployed.client("lambda").delete_event_source_mapping(UUID=deployed.mapping)
    wait_for(lambda: not deployed.facts().mappings, within=30, what="the mapping is gone")


def map_to_another_function(deployed: Deployed) -> None:
    deployed.client("lambda").update_event_source_mapping(
        UUID=deployed.mapping, FunctionName=deployed.stack.convert_matches_function
    )


@pytest.mark.parametrize(
    ("breaks", "resource", "says"),
    [
        (disable_rule, SCHEDULE, "it is disabled"),
        (remove_rule, SCHEDULE, "there is no rule"),
        (remove_target, SCHEDULE, "it has no target"),
        (target_another_function, SCHEDULE, "and not ConvertMatchesFunction"),
        (target_nothing, SCHEDULE, "which does not exist"),
        (forbid_invocation, SCHEDULE, "does not allow the rule to invoke it"),
        (let_none_run, "ConvertMatchesFunction", "its reserved concurrency is 0"),
        (disable_mapping, MAPPING, "it is Disabl"),
        (map_to_another_function, MAPPING, "and not to StoreFailuresFunction"),
        (remove_mapping, "StoreFailuresFunction", "there is no mapping"),
    ],
)
def test_what_is_broken_is_said_and_the_mend_that_is_told_mends_it(
    deployed: Deployed, breaks: Callable[[Deployed], None], resource: str, says: str
) -> None:
    breaks(deployed)

    (problem,) = deployed.problems()

    assert problem.resource == resource
    assert says in problem.wrong
    assert problem.commands
    for command in problem.commands:
        aws_cli.run(deployed.stack.session, command)
    assert deployed.problems() == []


def test_a_hand_over_that_is_forbidden_is_said(deployed: Deployed) -> None:
    iam, function = deployed.client("iam"), deployed.stack.convert_matches_function
    role = deployed.client("lambda").get_function(FunctionName=function)["Configuration"]["Role"].rpartition("/")[2]
    whole = iam.get_role_policy(RoleName=role, PolicyName="convert-matches")["PolicyDocument"]
    statements = [each for each in whole["Statement"] if each["Sid"] != "HandOver"]
    assert len(statements) == len(whole["Statement"]) - 1
    without = json.dumps({**whole, "Statement": statements})
    iam.put_role_policy(RoleName=role, PolicyName="convert-matches", PolicyDocument=without)
    try:
        (problem,) = deployed.problems()
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="convert-matches", PolicyDocument=json.dumps(whole))

    assert problem.resource == "ConvertMatchesFunction"
    assert "does not pass its check" in problem.wrong
    assert "lambda:InvokeFunction" in problem.wrong


def test_a_function_that_is_gone_is_said(deployed: Deployed) -> None:
    functions = deployed.client("lambda")
    name = deployed.stack.store_failures_function
    before = functions.get_function(FunctionName=name)
    with urlopen(before["Code"]["Location"]) as answer:
        code = answer.read()
    functions.delete_function(FunctionName=name)
    try:
        assert ("StoreFailuresFunction", f"there is no function {name}: somebody deleted it") in {
            (each.resource, each.wrong) for each in deployed.problems()
        }
    finally:
        make_again(functions, before["Configuration"], code)


def make_again(functions: Any, configuration: dict[str, Any], code: bytes) -> None:
    """Makes a function as it was."""
    kept = ("FunctionName", "Runtime", "Role", "Handler", "Timeout", "MemorySize", "Architectures", "LoggingConfig")
    functions.create_function(
        **{name: configuration[name] for name in kept},
        Environment={"Variables": configuration["Environment"]["Variables"]},
        Layers=[layer["Arn"] for layer in configuration["Layers"]],
        Code={"ZipFile": code},
    )
    name = configuration["FunctionName"]
    functions.get_waiter("function_active_v2").wait(FunctionName=name)
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)


def test_runs_that_do_not_come_are_said(deployed: Deployed) -> None:
    """Ten minutes on, by the clock that the command is given, with all that could be broken sound."""
    deployed.client("lambda").invoke(FunctionName=deployed.stack.convert_matches_function, Payload=b'{"shards": ["5"]}')
    now = datetime.now(UTC)

    assert [each for each in problems(look(deployed.stack, now + timedelta(minutes=9))) if is_of_runs(each)] == []
    (problem,) = problems(look(deployed.stack, now + timedelta(minutes=12)))

    assert "no run has succeeded for 10 min: the last was 12 min ago" in problem.wrong


def test_a_run_that_failed_is_said_with_what_it_said(deployed: Deployed) -> None:
    disable_rule(deployed)
    deployed.client("lambda").invoke(FunctionName=deployed.stack.convert_matches_function, Payload=b'{"shards": []}')

    facts = deployed.facts()
    deployed.client("events").enable_rule(Name=deployed.rule)

    assert facts.runs[0].outcome == "failed"
    assert "shards is []: it must be a list" in facts.runs[0].message
    (problem,) = [each for each in problems(facts) if is_of_runs(each)]
    assert facts.runs[0].message in problem.wrong


def test_what_is_wrong_comes_first_and_a_machine_gets_the_same(
    deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    disable_rule(deployed)

    with pytest.raises(typer.Exit) as ended:
        inspect_command(deployed.stack.name, as_json=True)
    told = json.loads(capsys.readouterr().out)
    with pytest.raises(typer.Exit):
        inspect_command(deployed.stack.name)
    shown = capsys.readouterr().out.splitlines()
    deployed.client("events").enable_rule(Name=deployed.rule)

    assert ended.value.exit_code == 1
    assert told["problems"][0]["resource"] == SCHEDULE
    assert {each["logical_id"]: each["enabled"] for each in told["schedules"]} == {SCHEDULE: False}
    assert shown[1] == f"{SCHEDULE}: it is disabled: nothing starts a run"
