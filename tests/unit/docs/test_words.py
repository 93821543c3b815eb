"""One word for one thing: words that the project has replaced do not come back."""

import re

import pytest

from tests.unit.docs.markdown import ROOT

# docs/glossary.md has the words to use instead.
REPLACED = {
    r"\bCONTRACT\b": "docs/contract.md, with the heading",
    r"\bissue \d+": "docs/contract.md, or the page that states the rule",
    r"\b[Tt]he law\b": "the invariants",
    r"\bthis = ": "a name that says what it is",
}
FOLDERS = ("layers/playlog", "cli", "functions", "tests", "bench", "samples", "docs", "events")
FILES = sorted(
    path
    for pattern in ("*.py", "*.md", "*.yaml", "*.toml", "*.j2", "Makefile")
    for path in [*ROOT.glob(pattern), *(path for folder in FOLDERS for path in (ROOT / folder).rglob(pattern))]
    if path.name != "test_words.py"
)


@pytest.mark.parametrize("pattern", REPLACED)
def test_replaced_words_do_not_come_back(pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(pattern, line)
    ]

    assert not found, f"write {REPLACED[pattern]}:\n" + "\n".join(found)
