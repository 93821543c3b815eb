"""Draws results of a bench: a figure is a few bars."""

from collections.abc import Sequence

from bench import cost
from bench.figures import svg
from bench.results import Results

WIDTH = 760
GREEN, RED, BLUE, GREY = "#3b8f5a", "#c0492f", "#2f6db3", "#b9c2cb"
SHADES = ("#2f6db3", "#5b9bd5", "#c8731f", "#e8a55c", "#ad2f6d", "#7b8794", "#3b8f5a", "#b9c2cb")


def targets(results: Results) -> str:
    """Each target: how much of what it allows is used."""
    left, right, row = 220, 480, 34
    at_most = 100 * max(2.0, *(each.measured / each.limit for each in results.targets))
    scale = (right - left) / at_most
    shapes = []
    for number, each in enumerate(results.targets):
        y = 66 + row * number
        used = 100 * each.measured / each.limit
        shapes += [
            _text(left - 12, y + 15, each.name, anchor="end"),
            svg.bar(left, y, max(0.0, used * scale), 20, GREEN if each.met else RED),
            _text(right + 24, y + 15, f"{each.measured:.3g}, at most {each.limit:g} {each.unit}"),
        ]
    bottom = 66 + row * len(results.targets)
    line = left + 100 * scale
    shapes += [
        f'<path d="M{line:.1f} 52V{bottom}" stroke="{svg.INK}" stroke-dasharray="4 3"/>',
        _text(line, 46, "allowed", anchor="middle", small=True),
    ]
    return _figure("Targets: what is used of what is allowed", bottom + 14, shapes)


def sizes(results: Results) -> str:
    """CPU for a match and peak memory at each size of backlog, beside the floor's."""
    shapes: list[str] = []
    legend = (("converter", BLUE), ("floor", GREY))
    for number, (name, colour) in enumerate(legend):
        shapes += [svg.bar(520 + 110 * number, 16, 14, 14, colour), _text(540 + 110 * number, 28, name)]
    shapes += _panel(
        30,
        "CPU for a match, in microseconds",
        [(each.matches, (each.cpu_ms * 1_000, each.floor_cpu_ms * 1_000)) for each in results.backlogs],
    )
    shapes += _panel(
        400,
        "peak memory, in MB",
        [(each.matches, (each.megabytes, max(one.peak_megabytes for one in each.floor))) for each in results.backlogs],
    )
    return _figure("A backlog's size and what a match costs", 320, shapes)


def costs(results: Results) -> str:
    """Dollars for a million matches, by part, for both architectures."""
    left, full = 90, 620
    parts = cost.parts(results)
    largest = max(sum(part.dollars[name] for part in parts) for name in cost.GB_SECOND)
    shapes = []
    for number, name in enumerate(cost.GB_SECOND):
        x, y = float(left), 56 + 44 * number
        shapes.append(_text(left - 12, y + 19, name, anchor="end"))
        for part, shade in zip(parts, SHADES, strict=False):
            width = part.dollars[name] / largest * (full - left)
            shapes.append(svg.bar(x, y, width, 28, shade))
            x += width
        shapes.append(_text(x + 10, y + 19, f"${sum(part.dollars[name] for part in parts):.2f}"))
    for number, (part, shade) in enumerate(zip(parts, SHADES, strict=False)):
        x, y = 40 + 360 * (number % 2), 156 + 24 * (number // 2)
        price = " / ".join(dict.fromkeys(f"${dollars:.3f}" for dollars in part.dollars.values()))
        shapes += [svg.bar(x, y, 14, 14, shade), _text(x + 22, y + 12, f"{part.name}: {price}", small=True)]
    return _figure("A million matches in a month, us-east-1", 156 + 24 * ((len(parts) + 1) // 2) + 10, shapes)


def _panel(left: int, title: str, groups: Sequence[tuple[int, tuple[float, float]]]) -> list[str]:
    """Pairs of upright bars, a pair a size."""
    top, bottom, width = 90, 270, 330
    largest = max(max(pair) for _, pair in groups)
    step = width / len(groups)
    thickness = min(40.0, step / 3)
    shapes = [_text(left, 62, title), f'<path d="M{left} {bottom}H{left + width}" stroke="{svg.INK}"/>']
    for number, (matches, pair) in enumerate(groups):
        middle = left + step * (number + 0.5)
        shapes.append(_text(middle, bottom + 20, f"{matches:,}", anchor="middle", small=True))
        for side, (value, colour) in enumerate(zip(pair, (BLUE, GREY), strict=True)):
            height = value / largest * (bottom - top)
            x = middle + (side - 1) * (thickness + 4) + 2
            shapes += [
                svg.bar(x, bottom - height, thickness, height, colour),
                _text(x + thickness / 2, bottom - height - 6, f"{value:.0f}", anchor="middle", small=True),
            ]
    shapes.append(_text(left + width / 2, bottom + 40, "matches", anchor="middle", small=True))
    return shapes


def _figure(title: str, height: float, shapes: Sequence[str]) -> str:
    return svg.figure(title, WIDTH, height, [svg.text(30, 28, title, size=16, bold=True), *shapes])


def _text(x: float, y: float, words: str, *, anchor: str = "start", small: bool = False) -> str:
    return svg.text(x, y, words, anchor=anchor, size=12.5 if small else 0)
