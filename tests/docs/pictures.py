"""Screenshots of commands, as SVG: text that can be compared and searched."""

import html
import io
import re
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from tests.docs.blocks import masked
from tests.docs.stages import COLUMNS, ROOT

_TEXT = re.compile(r'<text class="[^"]*-r\d+" x="([\d.]+)" y="([\d.]+)"[^>]*>(.*?)</text>', re.DOTALL)
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True)
class Picture:
    """A screenshot of one or more commands.

    Attributes:
        path: the file.
        shown: stage and command of each output in it.
    """

    path: Path
    shown: tuple[tuple[str, str], ...]


REPORT = "playlog report --from 2026-03-14 --to 2026-03-15 --rate-card samples/rate-card.toml"
PICTURES = (
    Picture(ROOT / "docs/make-run.svg", (("empty", "make run"),)),
    Picture(ROOT / "docs/report.svg", (("converted", REPORT),)),
    Picture(ROOT / "docs/inspect.svg", (("converted", "playlog inspect"), ("disabled", "playlog inspect"))),
)


def drawn(picture: Picture, outputs: dict[tuple[str, str], str]) -> str:
    """The SVG of a picture.

    Args:
        picture: what to draw.
        outputs: output by stage and command, with colours.
    """
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    for stage, command in picture.shown:
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(outputs[stage, command].rstrip()))
        console.print()
    svg = console.export_svg(title="", unique_id=f"playlog-{picture.path.stem}")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def words(svg: str) -> list[str]:
    """The lines of text in an SVG, masked, so that two executions can be compared."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for x, y, text in _TEXT.findall(svg):
        rows.setdefault(float(y), []).append((float(x), html.unescape(text).replace("\xa0", " ")))
    # A blank between the parts: whether a part ends with one depends on the width of its column.
    lines = [" ".join(text for _x, text in sorted(parts)) for _y, parts in sorted(rows.items())]
    return masked("\n".join(lines)).splitlines()
