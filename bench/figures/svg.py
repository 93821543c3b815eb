"""Drawings as SVG: figures, bars and texts. The figures of `make bench` and of the samples are made with it."""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

INK = "#1d2730"


def figure(label: str, width: float, height: float, shapes: Iterable[str], style: str = "") -> str:
    """A whole drawing on white.

    Args:
        label: what it shows, for screen readers.
        width: in user units.
        height: in user units.
        shapes: what is drawn, the hindmost first.
        style: CSS.
    """
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="14" role="img" aria-label={quoteattr(label)}>'
    )
    css = [f"<style>{style}</style>"] if style else []
    background = f'<rect width="{width:.0f}" height="{height:.0f}" fill="#fff"/>'
    return "\n".join([head, *css, background, *shapes, "</svg>", ""])


def bar(x: float, y: float, width: float, height: float, colour: str = "", *, radius: float = 0) -> str:
    """A rectangle. Without a colour, it has that of its group."""
    fill = f' fill="{colour}"' if colour else ""
    rounded = f' rx="{radius:g}"' if radius else ""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"{fill}{rounded}/>'


def text(x: float, y: float, words: str, *, anchor: str = "start", size: float = 0, bold: bool = False) -> str:
    """A line of text.

    Args:
        x: of the anchor.
        y: of the baseline.
        words: the text.
        anchor: ``start``, ``middle`` or ``end``.
        size: of the font; 0 for the figure's.
        bold: whether it is bold.
    """
    font = (f' font-size="{size:g}"' if size else "") + (' font-weight="bold"' if bold else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{font} fill="{INK}">{escape(words)}</text>'


def styled_text(x: float, y: float, words: str, classes: str) -> str:
    """A line of text with classes of the figure's style."""
    return f'<text class="{classes}" x="{x:g}" y="{y:g}">{escape(words)}</text>'
