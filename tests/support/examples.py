"""Where each reason code and each attribute of a match must have an example, and which of them lack one."""

from collections.abc import Iterable
from functools import cache

from playlog.schema import Attribute, Owner

from tests.support.aws import ROOT

# What a match's own data cannot cause, so that neither a sample nor a drawn match can show it.
NOT_CAUSED_BY_DATA = frozenset({"UNEXPECTED"})
# What `playlog load` adds to a row, so that a file of matches need not hold it.
GIVEN_BY_LOADING = frozenset({"unprocessed_shard", "processed"})


_TESTS = "the unit or integration tests"
_ROUNDS = "the fault rounds (tests/chaos/world.py)"
_SAMPLES = "samples/make_airplay.py"
_CONTRACT = "docs/contract.md"


def missing_for_code(code: str) -> list[str]:
    """The places that lack an example of a reason code, each in a sentence."""
    places = [_TESTS, _CONTRACT] if code in NOT_CAUSED_BY_DATA else [_SAMPLES, _TESTS, _ROUNDS, _CONTRACT]
    return _missing(code, places)


def missing_for_attribute(attribute: Attribute) -> list[str]:
    """The places that lack an example of an attribute of MatchCache, each in a sentence."""
    places = [_TESTS, _CONTRACT]
    if attribute.owner is Owner.WRITER:
        places.append(_ROUNDS)
    if attribute.owner is Owner.WRITER and not attribute.for_people and attribute.name not in GIVEN_BY_LOADING:
        places.append(_SAMPLES)
    return _missing(attribute.name, places)


def _missing(name: str, places: Iterable[str]) -> list[str]:
    return [f"{name} is missing in {place}" for place in places if name not in _text(place)]


@cache
def _text(place: str) -> str:
    if place == _TESTS:
        files = [*(ROOT / "tests/unit").rglob("*.py"), *(ROOT / "tests/integration").rglob("*.py")]
        return "".join(file.read_text(encoding="utf-8") for file in files if file.name != "test_schema.py")
    path = "tests/chaos/world.py" if place == _ROUNDS else place
    return (ROOT / path).read_text(encoding="utf-8")
