"""The marked blocks of a page, and how an output is compared with a block."""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"<!-- docs (?P<stage>\w+): (?P<command>[^\n]+?) -->\n(?P<body>.*?)<!-- end: docs -->", re.DOTALL)

# What differs from one execution to the next. The first pattern that matches a place wins.
_MASKS = {
    "TIME": r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?",
    "ID": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-fA-F]{12,}\b|(?<=\()[0-9a-f]{7,40}(?= )",
    "ENDPOINT": r"http://[\w.]+:\d+",
    "SPAN": r"(?<!\w)-?\d[\d,.]* (?:ms|min|s|h|d|MB)\b(?: \d+ (?:min|s|h)\b)?",
    "RECORDS": r"\d+ records",  # StoreFailures takes letters as they come
    "PATH": r"/[\w./-]+/(?=samples/|\.aws-sam)",
}
_MASK = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _MASKS.items()))


@dataclass(frozen=True)
class Block:
    """A marked block.

    Attributes:
        stage: the name of the stage at which the command is executed.
        command: the command line.
        body: the fenced block as the page has it.
    """

    stage: str
    command: str
    body: str

    def with_output(self, output: str) -> str:
        """The body with another output; the same body where only masked parts differ."""
        body = f"```console\n$ {self.command}\n{output.rstrip()}\n```\n"
        return self.body if masked(body) == masked(self.body) else body


def masked(text: str) -> str:
    """Text with times, ids, endpoints and time spans replaced by their kind, and with single spaces."""
    kinds = _MASK.sub(lambda found: f"<{found.lastgroup}>", text)
    return "\n".join(" ".join(line.split()) for line in kinds.splitlines())


def blocks(page: Path) -> list[Block]:
    """The marked blocks of a page, in their order."""
    return [Block(**found.groupdict()) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


def rewritten(page: Path, outputs: dict[tuple[str, str], str]) -> str:
    """The text of a page with the outputs in its marked blocks.

    Args:
        page: the page.
        outputs: output by stage and command.
    """

    def replaced(found: re.Match[str]) -> str:
        block = Block(**found.groupdict())
        body = block.with_output(outputs[block.stage, block.command])
        return f"<!-- docs {block.stage}: {block.command} -->\n{body}<!-- end: docs -->"

    return _BLOCK.sub(replaced, page.read_text(encoding="utf-8"))
