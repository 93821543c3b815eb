"""template.yaml after the SAM transform: every name leads somewhere, and no permission is added."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from tests.support.aws import ROOT

# Every resource that permits something. The transform may add no other.
PERMISSIONS = {
    "AWS::IAM::Role": 4,
    "AWS::Lambda::Permission": 1,
    "AWS::SQS::QueuePolicy": 1,
    "AWS::SNS::TopicPolicy": 1,
    "AWS::KMS::Key": 1,
}


def written() -> dict[str, Any]:
    """The template as it stands, with local folders replaced by addresses in S3, as `sam package` does."""
    template: dict[str, Any] = yaml_parse(  # type: ignore[no-untyped-call]
        (ROOT / "template.yaml").read_text()
    )
    for resource in template["Resources"].values():
        for name in ("CodeUri", "ContentUri"):
            if name in resource["Properties"]:
                resource["Properties"][name] = "s3://bucket/key"
    return template


@pytest.fixture(scope="module")
def transformed() -> dict[str, Any]:
    template = written()
    defaults = {name: parameter["Default"] for name, parameter in template["Parameters"].items()}
    result: dict[str, Any] = Translator({}, Parser(), boto_session=boto3.Session(region_name="us-east-1")).translate(
        template, defaults
    )
    return result


def functions_in(value: Any) -> Iterator[tuple[str, Any]]:
    """Every intrinsic function inside a value: its name and its argument."""
    if isinstance(value, dict):
        if len(value) == 1:
            yield next(iter(value.items()))
        for inner in value.values():
            yield from functions_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from functions_in(inner)


def names_in_sub(argument: Any) -> Iterator[str]:
    text, own = (argument, {}) if isinstance(argument, str) else argument
    for part in text.split("${")[1:]:
        name = part.split("}")[0].split(".")[0]
        if name not in own:
            yield name


def references(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each resource with each name that it refers to."""
    for logical_id, resource in template["Resources"].items():
        for name, argument in functions_in(resource):
            if name == "Ref":
                yield logical_id, argument
            elif name == "Fn::GetAtt":
                yield logical_id, argument[0] if isinstance(argument, list) else argument.split(".")[0]
            elif name == "Fn::Sub":
                yield from ((logical_id, found) for found in names_in_sub(argument))
        needs = resource.get("DependsOn", [])
        yield from ((logical_id, needed) for needed in ([needs] if isinstance(needs, str) else needs))


def test_every_name_leads_to_a_resource_or_a_parameter(transformed: dict[str, Any]) -> None:
    known = transformed["Resources"].keys() | transformed["Parameters"].keys()
    found = list(references(transformed))
    assert len(found) > 100
    assert [(user, name) for user, name in found if name not in known and not name.startswith("AWS::")] == []


def test_every_condition_exists(transformed: dict[str, Any]) -> None:
    known = transformed["Conditions"].keys()
    used = {resource["Condition"] for resource in transformed["Resources"].values() if "Condition" in resource}
    used |= {argument[0] for name, argument in functions_in(transformed["Resources"]) if name == "Fn::If"}
    assert used
    assert used <= known


def test_the_transform_adds_no_permission(transformed: dict[str, Any]) -> None:
    types = Counter(resource["Type"] for resource in transformed["Resources"].values())
    permitting = {
        name: count
        for name, count in types.items()
        if name in PERMISSIONS or "Polic" in name.split("::")[-1] or "::IAM::" in name or name.endswith("Permission")
    }
    assert permitting == PERMISSIONS


def test_the_transform_changes_no_role(transformed: dict[str, Any]) -> None:
    for logical_id, resource in written()["Resources"].items():
        if resource["Type"] == "AWS::IAM::Role":
            assert transformed["Resources"][logical_id]["Properties"] == resource["Properties"]


@pytest.mark.parametrize("function", ["ConvertMatches", "StoreFailures"])
def test_what_invokes_a_function_invokes_its_live_version(transformed: dict[str, Any], function: str) -> None:
    invoking = {"AWS::Events::Rule", "AWS::Lambda::EventSourceMapping", "AWS::Lambda::Permission"}
    live, any_version = {"Ref": f"{function}Live"}, ({"Ref": f"{function}Function"}, f"{function}Function.Arn")
    places = [
        inner
        for resource in transformed["Resources"].values()
        if resource["Type"] in invoking
        for inner in functions_in(resource["Properties"])
    ]
    assert ("Ref", live["Ref"]) in places
    assert ("Ref", any_version[0]["Ref"]) not in places
    assert not any(name == "Fn::GetAtt" and argument[0] == f"{function}Function" for name, argument in places)
