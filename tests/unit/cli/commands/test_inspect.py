"""`playlog inspect`: what an operator is told is wrong, where it cannot be made on a deployed stack."""

import json
from dataclasses import replace
from typing import Any

import pytest
from playlog_cli.commands.operating.inspect import show
from playlog_cli.inspecting.facts import Facts, FunctionFacts, MappingFacts, ScheduleFacts, TargetFacts
from playlog_cli.inspecting.permissions import may_invoke
from playlog_cli.inspecting.problems import problems
from playlog_cli.stacks.runs import RunFacts
from playlog_cli.stacks.versions import LiveVersion
from rich.console import Console

ACCOUNT = "arn:aws:lambda:eu-west-1:123456789012"
RULE = "arn:aws:events:eu-west-1:123456789012:rule/playlog-schedule"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:dead-letters"
NOW = "2026-03-14T12:00:00.000000+0000"


def function(logical_id: str, **facts: Any) -> FunctionFacts:
    return FunctionFacts(
        logical_id=logical_id,
        name=f"playlog-{logical_id}",
        arn=f"{ACCOUNT}:function:playlog-{logical_id}",
        live=LiveVersion(f"{ACCOUNT}:function:playlog-{logical_id}:live", "7", "1a2b3c4; layers 1/1", NOW),
        **{"state": "Active", "last_update": "Successful", "last_modified": "2026-03-13T12:00:00.000000+0000", **facts},
    )


CONVERTER, STORE = function("ConvertMatchesFunction"), function("StoreFailuresFunction")
RUN = RunFacts(
    "2026-03-14T11:59:00.000000+0000", 60, 4.1, "succeeded", "97 matches processed, 95 plays created, 3 failed"
)
SOUND = Facts(
    stack="playlog",
    region="eu-west-1",
    asked_at=NOW,
    schedule_expression="rate(2 minutes)",
    dead_letter_queue_arn=QUEUE,
    functions=(CONVERTER, STORE),
    schedules=(
        ScheduleFacts(
            logical_id="ConvertMatchesFunctionSchedule",
            name="playlog-schedule",
            arn=RULE,
            expression="rate(2 minutes)",
            enabled=True,
            targets=(TargetFacts("target", CONVERTER.invoked_arn or "", exists=True, may_invoke=True),),
        ),
    ),
    mappings=(
        MappingFacts(
            "StoreFailuresFunctionDeadLetters", "a-uuid", "Enabled", None, QUEUE, STORE.invoked_arn or "", NOW, None
        ),
    ),
    runs=(RUN, replace(RUN, age_seconds=180)),
)


def wrong(facts: Facts) -> list[tuple[str, str]]:
    return [(problem.resource, problem.wrong) for problem in problems(facts)]


def test_a_sound_stack_has_no_problem() -> None:
    assert problems(SOUND) == []


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ({"state": "Failed", "state_reason": "The role may not be assumed"}, "Failed: The role may not be assumed"),
        ({"state": "Pending"}, "it is in the state Pending"),
        ({"last_update": "Failed", "last_update_reason": "No such layer"}, "its last update failed: No such layer"),
        ({"reserved_concurrency": 0}, "its reserved concurrency is 0"),
        ({"missing": ("hand-over: lambda:InvokeFunction is denied",)}, "does not pass its check: hand-over: lambda"),
    ],
)
def test_a_function_that_cannot_be_invoked_is_told_with_lambdas_reason(facts: dict[str, Any], says: str) -> None:
    ((resource, told),) = wrong(replace(SOUND, functions=(CONVERTER, function("StoreFailuresFunction", **facts))))

    assert resource == "StoreFailuresFunction"
    assert says in told


def test_a_mapping_that_cannot_read_its_queue_is_told_with_lambdas_reason() -> None:
    (mapping,) = SOUND.mappings
    denied = replace(mapping, last_result="PROBLEM: Function call failed")

    assert wrong(replace(SOUND, mappings=(denied,))) == [
        (mapping.logical_id, "Lambda says of it: PROBLEM: Function call failed")
    ]


def test_a_missing_queue_is_a_problem() -> None:
    assert wrong(replace(SOUND, dead_letter_queue_arn=None, mappings=())) == [
        ("DeadLetterQueue", "there is no such queue: runs cannot send failures")
    ]


@pytest.mark.parametrize(
    ("expression", "age_seconds", "is_wrong"),
    [
        ("rate(2 minutes)", 590, False),
        ("rate(2 minutes)", 610, True),
        ("rate(30 minutes)", 3_500, False),
        ("rate(30 minutes)", 3_700, True),
    ],
)
def test_a_slow_schedule_has_a_longer_threshold(expression: str, age_seconds: float, is_wrong: bool) -> None:
    runs = (replace(RUN, age_seconds=age_seconds),)

    assert bool(problems(replace(SOUND, schedule_expression=expression, runs=runs))) is is_wrong


def test_a_new_stack_without_a_run_has_no_problem() -> None:
    minutes_ago = "2026-03-14T11:58:00.000000+0000"
    new = replace(CONVERTER, last_modified=minutes_ago)

    assert problems(replace(SOUND, functions=(new, STORE), runs=())) == []
    assert wrong(replace(SOUND, runs=())) == [
        ("ConvertMatchesFunction", "no run has succeeded for 10 min: none within a day")
    ]


def test_a_run_under_way_counts_as_no_failure_and_hides_none() -> None:
    under_way = replace(RUN, age_seconds=5, seconds=None, outcome="under way", message="")
    failed = replace(RUN, outcome="failed", message="RunError: nothing could be converted")

    assert problems(replace(SOUND, runs=(under_way, RUN))) == []
    assert wrong(replace(SOUND, runs=(under_way, failed, replace(RUN, age_seconds=180)))) == [
        ("ConvertMatchesFunction", "the last run, 1 min ago, failed: RunError: nothing could be converted")
    ]


def test_what_is_wrong_is_red_and_before_all_else() -> None:
    (schedule,) = SOUND.schedules
    facts = replace(SOUND, schedules=(replace(schedule, enabled=False),))
    console = Console(record=True, width=100, force_terminal=True, color_system="standard", file=None, quiet=False)

    with console.capture() as captured:
        show(facts, problems(facts), console)

    lines = captured.get().splitlines()
    assert lines[1] == "\x1b[1;31mConvertMatchesFunctionSchedule: it is disabled: nothing starts a run\x1b[0m"
    assert lines[3].strip() == "aws events enable-rule --name playlog-schedule"


# --- What a function's policy says. ---

ALLOW = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": CONVERTER.invoked_arn,
    "Condition": {"ArnLike": {"AWS:SourceArn": RULE}},
}


@pytest.mark.parametrize(
    ("statements", "wanted"),
    [
        ([ALLOW], True),
        ([], False),
        ([{**ALLOW, "Condition": {"ArnLike": {"AWS:SourceArn": RULE.replace("schedule", "*")}}}], True),
        ([{**ALLOW, "Condition": {"ArnLike": {"AWS:SourceArn": RULE.replace("schedule", "other")}}}], False),
        ([{**ALLOW, "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}], True),
        ([{**ALLOW, "Condition": {"StringEquals": {"aws:SourceAccount": ["210987654321"]}}}], False),
        ([{**ALLOW, "Condition": {}, "Principal": "*", "Action": ["lambda:*"]}], True),
        ([{**ALLOW, "Principal": {"Service": "sns.amazonaws.com"}}], False),
        ([{**ALLOW, "Action": "lambda:GetFunction"}], False),
        ([ALLOW, {**ALLOW, "Effect": "Deny", "Condition": {}}], False),
        ([{**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}], None),
        ([ALLOW, {**ALLOW, "Condition": {"Bool": {"aws:SecureTransport": "true"}}}], True),
    ],
)
def test_whether_a_rule_may_invoke_a_function_is_read_off_its_policy(
    statements: list[dict[str, Any]], wanted: bool | None
) -> None:
    assert may_invoke(json.dumps({"Version": "2012-10-17", "Statement": statements}), RULE) is wanted


def test_a_function_without_a_policy_lets_nothing_invoke_it() -> None:
    assert may_invoke(None, RULE) is False


def scheduled(**facts: Any) -> Facts:
    """A sound stack but for its schedule."""
    return replace(SOUND, schedules=(replace(SOUND.schedules[0], **facts),))


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (
            {"expression": "rate(1 minutes)", "expression_problem": "'rate(1 minutes)': write rate(1 minute)"},
            "its schedule expression is 'rate(1 minutes)': write rate(1 minute)",
        ),
        (
            {"expression": "cron(0 8 31 2 ? *)", "next_at": None},
            "its schedule expression cron(0 8 31 2 ? *) meets no time in the next nine years",
        ),
    ],
)
def test_a_schedule_whose_next_time_is_unknown_is_a_problem(facts: dict[str, Any], says: str) -> None:
    ((resource, told),) = wrong(scheduled(**facts))

    assert resource == "ConvertMatchesFunctionSchedule"
    assert told.startswith(says)


def test_a_valid_cron_expression_with_a_next_time_is_no_problem() -> None:
    assert wrong(scheduled(expression="cron(0/5 * * * ? *)", next_at=NOW)) == []


def test_an_unknown_permission_is_a_problem() -> None:
    target = replace(SOUND.schedules[0].targets[0], may_invoke=None)
    ((_, told),) = wrong(scheduled(targets=(target,)))

    assert "it is unknown whether the rule may invoke the function" in told


def test_a_function_without_its_alias_can_be_invoked_by_nothing() -> None:
    without = replace(SOUND, functions=(replace(CONVERTER, live=None), STORE))

    assert "it has no alias live: nothing can invoke it" in [each.wrong for each in problems(without)]


def test_a_schedule_that_bypasses_the_alias_is_told() -> None:
    (schedule,) = SOUND.schedules
    target = replace(schedule.targets[0], arn=CONVERTER.arn or "")
    bypassed = replace(SOUND, schedules=(replace(schedule, targets=(target,)),))

    (problem,) = problems(bypassed)

    assert problem.wrong.startswith(f"its target is {CONVERTER.arn}, ")
    assert f"{CONVERTER.name}:live" in problem.commands[0]
