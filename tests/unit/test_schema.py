"""One fact, one place: what lists attributes or reason codes elsewhere must agree with schema.py."""

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
import yaml
from playlog.domain.match import Match
from playlog.domain.validation import validate
from playlog.dynamodb import models
from playlog.schema import (
    CARRIED,
    FAILED_PLAY_LOG,
    MATCH_CACHE,
    PLAY_LOG,
    STATION_GUARD,
    Attribute,
    ReasonCode,
    names,
)
from playlog_cli.auditing import items
from playlog_cli.reporting import plays
from pynamodb.models import Model

from tests.support import examples
from tests.support.aws import ROOT
from tests.support.builders import NOW, make_item

MODELS = [
    (models.MatchCache, [each for each in MATCH_CACHE if not each.for_people]),
    (models.PlayLog, PLAY_LOG),
    (models.FailedPlayLog, FAILED_PLAY_LOG),
    (models.StationGuard, STATION_GUARD),
]


@pytest.mark.parametrize(("model", "table"), MODELS, ids=lambda each: getattr(each, "__name__", ""))
def test_a_model_reads_like_its_table(model: type[Model], table: Sequence[Attribute]) -> None:
    of_model = [(name, each.attr_type) for name, each in model.get_attributes().items()]

    assert sorted(of_model) == sorted((each.name, each.type.value) for each in table)


@pytest.mark.parametrize(
    ("listed", "table"),
    [
        (items.MATCH_ATTRIBUTES, MATCH_CACHE),
        (items.PLAY_ATTRIBUTES, PLAY_LOG),
        (items.RECORD_ATTRIBUTES, FAILED_PLAY_LOG),
        (plays.ATTRIBUTES, PLAY_LOG),
    ],
)
def test_readers_ask_for_attributes_that_exist(listed: Sequence[str], table: Sequence[Attribute]) -> None:
    assert set(listed) <= set(names(table))


def test_the_keys_in_the_template_are_attributes_of_their_type() -> None:
    template = (ROOT / "template.yaml").read_text()
    loader = yaml.SafeLoader
    tables = {
        "MatchCacheTable": MATCH_CACHE,
        "PlayLogTable": PLAY_LOG,
        "FailedPlayLogTable": FAILED_PLAY_LOG,
        "StationGuardTable": STATION_GUARD,
    }
    resources = yaml.load(template, _ignoring_functions(loader))["Resources"]
    for name, table in tables.items():
        types = {each.name: each.type.value for each in table}
        for defined in resources[name]["Properties"]["AttributeDefinitions"]:
            assert types[defined["AttributeName"]] == defined["AttributeType"]


def test_what_a_play_carries_is_an_attribute_of_a_play() -> None:
    types = {each.name: each.type for each in PLAY_LOG}

    assert {name: types.get(name) for name in CARRIED} == {
        each.name: each.type for each in MATCH_CACHE if each.name in CARRIED
    }


@pytest.mark.parametrize("name", [each.name for each in MATCH_CACHE if each.for_people])
@pytest.mark.parametrize("value", [{"N": "1"}, {"M": {}}, {"NULL": True}, {"BOOL": True}, {"L": []}])
def test_a_name_for_people_never_makes_a_match_malformed(name: str, value: dict[str, object]) -> None:
    match = validate(make_item(**{name: value}), now=NOW, default_duration=timedelta(minutes=3))

    assert isinstance(match, Match)


@pytest.mark.parametrize("code", ReasonCode)
def test_every_reason_code_has_its_examples(code: ReasonCode) -> None:
    assert examples.missing_for_code(code) == []


@pytest.mark.parametrize("attribute", MATCH_CACHE, ids=lambda each: each.name)
def test_every_attribute_of_a_match_has_its_examples(attribute: Attribute) -> None:
    assert examples.missing_for_attribute(attribute) == []


def test_a_code_without_examples_is_named_with_what_is_missing() -> None:
    assert examples.missing_for_code("INVALID_PROGRAM") == [
        "INVALID_PROGRAM is missing in samples/make_airplay.py",
        "INVALID_PROGRAM is missing in the unit or integration tests",
        "INVALID_PROGRAM is missing in the fault rounds (tests/chaos/world.py)",
        "INVALID_PROGRAM is missing in docs/contract.md",
    ]


def test_the_tables_of_the_contract_name_the_attributes_and_their_order() -> None:
    contract = (ROOT / "docs/contract.md").read_text()
    for heading, table in (("**MatchCache**", MATCH_CACHE), ("**PlayLog**", PLAY_LOG)):
        section = contract.split(heading)[1].split("\n**")[0]
        named = set(re.findall(r"`([a-z_]+)`", section)) & set(names(table))
        internal = {"confidence_sum", "confidence_count", "bridged", "matches_expire_at"}
        assert named == set(names(table)) - internal


def test_the_contract_lists_the_reason_codes_in_their_order() -> None:
    section = (ROOT / "docs/contract.md").read_text().split("| `reason_code` | when | retryable |")[1].split("\n\n")[0]
    rows = [(re.findall(r"`([A-Z_]+)`", row), row.rstrip("| ").endswith("yes")) for row in section.splitlines()]
    listed = [(code, retryable) for codes, retryable in rows for code in codes]

    listed.sort(key=lambda row: row[0] != "MALFORMED")  # "MALFORMED first, then in this order."
    assert listed == [(code.value, code.retryable) for code in ReasonCode]


def _ignoring_functions(loader: type[yaml.SafeLoader]) -> type[yaml.SafeLoader]:
    class Loader(loader):  # type: ignore[misc, valid-type]
        """Reads CloudFormation's short forms, like !Ref, as None."""

    Loader.add_multi_constructor("!", lambda *_: None)
    return Loader


def test_a_name_for_people_that_a_play_should_carry_would_be_dropped_in_silence() -> None:
    assert [each.name for each in MATCH_CACHE if each.carried and each.for_people] == []
