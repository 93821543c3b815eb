"""Screenshots of the operators' page, as PNG. Each holds a digest of its look, so that only a new look is drawn."""

import csv
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit
from zlib import crc32
from zoneinfo import ZoneInfo

from playlog_cli.embedded.ministack import deployed
from playlog_cli.loading.load import load_files
from playlog_cli.stacks.convert import convert
from playlog_cli.stacks.stack import find_stack
from playlog_cli.web.rendering import STATIC
from playwright.sync_api import Browser, Page, expect

from tests.browser.driving import CHROMIUM, Site, chromium, served, wait_until_nothing_waits
from tests.docs.blocks import masked
from tests.docs.stages import PARAMETERS, ROOT, SAMPLE

WIDTH = 1100
STATION = "harbour-fm"
LEFT_OUT_TODAY = 9  # each ninth match: the day differs from that a week before
# The overview is worth showing in the afternoon. One of these zones has it at any hour.
AFTERNOON = 17
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "America/Los_Angeles", "Asia/Kolkata", "Asia/Tokyo",
         "Pacific/Auckland", "Pacific/Honolulu")  # fmt: skip
SAMPLE_TIME = re.compile(r"2026-03-14(T[\d:]+)[+-]\d\d:\d\d")
PNG_HEAD = 33  # the signature and the first chunk, which comes before all others
NOTE = b"tEXtplaylog\0"
_SECRET = re.compile(r"[\w-]{40,}")
_PASSING = re.compile(r"\s*htmx-\w+")  # classes, while a part is replaced
_NUMBER = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True)
class Day:
    """Where and when the pictures are taken.

    Attributes:
        zone: time zone of the page.
        now: the time there.
    """

    zone: ZoneInfo
    now: datetime

    @property
    def before(self) -> date:
        """The day a week before."""
        return self.now.date() - timedelta(days=7)


@dataclass(frozen=True)
class Screen:
    """A screenshot.

    Attributes:
        path: the file.
        height: of the window.
        scheme: light or dark.
        open: brings a page to what is shown.
    """

    path: Path
    height: int
    scheme: str
    open: Callable[[Page, Site, Day], None]


def _overview(page: Page, site: Site, day: Day) -> None:
    del day
    page.goto(f"{site.home}/")
    for part, text in {"running": "Last runs", "backlog": "wait", "alarms": "alarms", "plays": STATION}.items():
        expect(page.locator(f"#{part}")).to_contain_text(text, timeout=60_000)
    expect(page.locator("#failures")).to_contain_text("Counted since", timeout=60_000)


def _failure(page: Page, site: Site, day: Day) -> None:
    page.goto(f"{site.home}/failures/match?id=m-{day.before:%y%m%d}-02510")
    page.wait_for_load_state("networkidle")  # a script answers what is typed
    page.get_by_label("source").fill("Radio")
    expect(page.locator("#verdict")).to_contain_text("Valid then.", timeout=60_000)


def _day(page: Page, site: Site, day: Day) -> None:
    page.goto(f"{site.home}/plays/day?station={STATION}&day={day.before}")


SCREENS = (
    Screen(ROOT / "docs/web-overview.png", 1180, "light", _overview),
    Screen(ROOT / "docs/web-failure.png", 560, "light", _failure),
    Screen(ROOT / "docs/web-day.png", 640, "dark", _day),
)


def redraw() -> list[Path] | None:
    """Draws the screenshots that no longer show the page as it is.

    Returns:
        The files that were written; None on a machine without Chromium.
    """
    if CHROMIUM is None:
        return None
    day = _afternoon(datetime.now(UTC))
    with _site(day) as site, chromium() as browser:
        return [screen.path for screen in SCREENS if _redraw(screen, site, browser, day)]


def _redraw(screen: Screen, site: Site, browser: Browser, day: Day) -> bool:
    """Draws a screenshot if the page has changed, and says whether it has."""
    context = browser.new_context(
        color_scheme="dark" if screen.scheme == "dark" else "light", viewport={"width": WIDTH, "height": screen.height}
    )
    try:
        page = context.new_page()
        site.let_in(page)
        screen.open(page, site, day)
        page.wait_for_load_state("networkidle")
        shown = page.locator("body").inner_html().replace(urlsplit(site.home).path, "").replace(day.zone.key, "<ZONE>")
        digest = digest_of(shown, (STATIC / "page.css").read_bytes())
        if screen.path.exists() and noted(screen.path.read_bytes()) == digest:
            return False
        screen.path.write_bytes(with_note(page.screenshot(), digest))
        return True
    finally:
        context.close()


def digest_of(shown: str, style: bytes) -> str:
    """Identifies the look of a page.

    Numbers, times, ids and secrets do not count, nor how often a thing is repeated: they differ from day to day.

    Args:
        shown: the page's HTML, without the names of its server and of its time zone.
        style: the style sheet.
    """
    text = _PASSING.sub("", _SECRET.sub("<SECRET>", masked(shown.replace("<", "\n<"))))
    parts = sorted({_NUMBER.sub("<NUMBER>", line).strip() for line in text.splitlines()})
    return sha256("\n".join(parts).encode() + style).hexdigest()


def with_note(png: bytes, note: str) -> bytes:
    """A PNG with a note in it, as a text chunk."""
    chunk = NOTE + note.encode()
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", crc32(chunk))
    return png[:PNG_HEAD] + framed + png[PNG_HEAD:]


def noted(png: bytes) -> str | None:
    """The digest in a PNG; None if it has none."""
    found = re.search(re.escape(NOTE) + rb"([0-9a-f]{64})", png)
    return found[1].decode() if found else None


@contextmanager
def _site(day: Day) -> Iterator[Site]:
    """The page on a stack of its own, with the sample day as today's, until now, and as that of a week before."""
    with deployed("screens", PARAMETERS), TemporaryDirectory() as folder:
        stack = find_stack()
        file = Path(folder) / "matches.csv"
        _write_matches(file, day)
        load_files(stack, [file], lambda _file: None)
        while convert(stack).processed:
            pass
        wait_until_nothing_waits(stack)
        convert(stack)  # the last run that is shown has nothing to do, however many came before
        with served("--no-browser", "--time-zone", day.zone.key) as site:
            yield site


def _write_matches(file: Path, day: Day) -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as sample, file.open("w", encoding="utf-8", newline="") as written:
        rows = csv.DictReader(sample)
        writer = csv.DictWriter(written, rows.fieldnames or ())
        writer.writeheader()
        for number, row in enumerate(rows):
            before, today = _moved(row, day.before, day.zone), _moved(row, day.now.date(), day.zone)
            writer.writerow(before)
            # A row with a wrong time is the same on each day.
            if (
                number % LEFT_OUT_TODAY
                and today["matched_at"] != before["matched_at"]
                and datetime.fromisoformat(today["matched_at"]) < day.now
            ):
                writer.writerow(today)


def _moved(row: dict[str, str], day: date, zone: ZoneInfo) -> dict[str, str]:
    """A match of the sample at the same time of another day. A wrong time stays as it is."""
    found = SAMPLE_TIME.fullmatch(row["matched_at"])
    at = datetime.fromisoformat(f"{day}{found[1]}").replace(tzinfo=zone).isoformat() if found else row["matched_at"]
    return {**row, "match_id": row["match_id"].replace("260314", f"{day:%y%m%d}"), "matched_at": at}


def _afternoon(now: datetime) -> Day:
    """The time in the zone in which it is the afternoon."""
    zones = map(ZoneInfo, ZONES)
    return min(
        (Day(zone, now.astimezone(zone)) for zone in zones),
        key=lambda day: abs(day.now.hour + day.now.minute / 60 - AFTERNOON),
    )
