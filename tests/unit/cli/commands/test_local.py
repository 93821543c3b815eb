"""`playlog local`: what a user types, and what is printed to be pasted."""

import shlex

import pytest
from playlog_cli.commands.operating.local import exports, parsed, up
from playlog_cli.errors import CommandError


def test_a_parameter_may_hold_an_equals_sign_and_blanks() -> None:
    assert parsed(["ScheduleExpression=rate(1 minute)", "AlarmEmail=a=b"]) == {
        "ScheduleExpression": "rate(1 minute)",
        "AlarmEmail": "a=b",
    }


@pytest.mark.parametrize("pair", ["BatchSize", "=50", "", "Batch Size=50"])
def test_a_parameter_of_another_form_is_named_with_the_right_one(pair: str) -> None:
    with pytest.raises(CommandError, match="write it as Key=Value, like --parameter BatchSize=50"):
        parsed([pair])


def test_the_printed_lines_set_the_environment_in_a_shell() -> None:
    assert exports({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566", "NAME": "two words"}) == [
        "export AWS_ENDPOINT_URL=http://127.0.0.1:4566",
        f"export NAME={shlex.quote('two words')}",
    ]


def test_a_schedule_that_aws_refuses_is_refused_before_anything_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def install(_: object) -> None:
        pytest.fail("nothing may be installed")

    monkeypatch.setattr("playlog_cli.embedded.ministack.install", install)
    monkeypatch.setattr("playlog_cli.embedded.session.Session.running", lambda _: None)
    with pytest.raises(CommandError, match=r"ScheduleExpression is 'rate\(1 minutes\)': write rate\(1 minute\)"):
        up(4567, {"ScheduleExpression": "rate(1 minutes)"})
