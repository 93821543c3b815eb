"""Many failed matches at once: a preview of what one correction changes, its confirmation, and its progress."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from playlog.domain.match import Item
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from playlog_cli.errors import CommandError
from playlog_cli.failures.mending import CORRECTABLE, MendTally, Preview, mend, new_value, previews
from playlog_cli.failures.records import Selection
from playlog_cli.failures.retrying import failed_matches
from playlog_cli.stacks.tables import batched
from playlog_cli.web.addresses import key_of, text_of, unpacked
from playlog_cli.web.desk import Desk, Plan
from playlog_cli.web.pages.failures import FIELDS, Filters, selection_of
from playlog_cli.web.rendering import value_in_words
from playlog_cli.web.routing import see_other, show
from playlog_cli.web.work import Job, Previewing

MOST_AT_ONCE = 5000  # matches of a preview
MOMENT_SECONDS = 0.1  # in which a preview of few matches is ready
SHOWN = 20


@dataclass(frozen=True)
class SameChange:
    """A change that several matches have in common."""

    attribute: str
    then: str
    now: str
    matches: int


def preview(desk: Desk, request: Request, form: FormData) -> Response:
    """Begins to find out what a correction would change. Changes nothing."""
    del request
    attribute, text = text_of(form, "attribute"), text_of(form, "value")
    if attribute and attribute not in CORRECTABLE:
        raise CommandError(f"attribute is {attribute!r}: it must be one of {', '.join(CORRECTABLE)}")
    values = {attribute: new_value(attribute, text)} if attribute else {}
    filters = Filters(**{name: key_of(form, name) for name in FIELDS})
    selection = selection_of(filters, desk)
    ticked = [unpacked(each) for each in form.getlist("match") if isinstance(each, str)]
    is_all = text_of(form, "scope") == "all"
    if not is_all and not ticked:
        raise CommandError("no match is selected: tick some, or choose all that the filters fit")
    previewing = Previewing(filters.address())

    def work() -> None:
        tally, planned = MendTally(), []
        for page in _selected(desk, selection, [] if is_all else ticked):
            planned += previews(page, values, tally, desk.now())
            previewing.read += len(page)
        previewing.values = _shown(desk, planned, tally) | {
            "attribute": attribute,
            "is_cut": is_all and len(planned) + len(tally.left) >= MOST_AT_ONCE,
        }

    previewing.start(work)
    return see_other(desk, f"/failures/preview?id={desk.previews.put(previewing)}")


def _shown(desk: Desk, planned: Sequence[Preview], tally: MendTally) -> dict[str, Any]:
    """What a preview shows. Keeps the correction until it is confirmed."""
    return {
        "planned": planned[:SHOWN],
        "total": len(planned),
        "defective": sum(each.defect is not None for each in planned),
        "same": _same_changes(planned),
        "left": Counter(each.why for each in tally.left).most_common(),
        "plan": desk.plans.put(Plan(tuple(planned), tally)) if planned else None,
    }


def show_preview(desk: Desk, request: Request) -> Response:
    """What a correction would change, or how far the reading is; the part alone for the script that asks again."""
    key = request.query_params.get("id", "")
    previewing = desk.previews.get(key)
    previewing.wait(MOMENT_SECONDS)
    is_done = previewing.is_done  # it may end while this page is made
    template = "preview_part.html.j2" if "hx-request" in request.headers else "preview.html.j2"
    return show(desk, template, previewing=previewing, is_done=is_done, key=key, **previewing.values)


def _selected(desk: Desk, selection: Selection, match_ids: list[str]) -> Iterator[dict[str, Item | None]]:
    """The matches that were ticked, or all that the filters fit if none was."""
    if not match_ids:
        selection = replace(selection, until=selection.until or desk.now())
    pages = failed_matches(desk.stack, match_ids, selection)
    matches = (each for page in pages for each in page.items())
    for page in batched(islice(matches, MOST_AT_ONCE), 100):
        yield dict(page)


def _same_changes(planned: Sequence[Preview]) -> list[SameChange]:
    counts = Counter(
        (change.attribute, value_in_words(change.then), value_in_words(change.now))
        for each in planned
        for change in each.changes
    )
    return [SameChange(*change, number) for change, number in counts.most_common(SHOWN)]


def apply(desk: Desk, request: Request, form: FormData) -> Response:
    """Begins to write a correction that was shown. A second confirmation finds nothing to do."""
    del request
    who, now, retry = desk.who(), desk.now(), "retry" in form
    plan = desk.plans.take(text_of(form, "plan"))
    job = Job(plan.tally, len(plan.previews) + len(plan.tally.left))
    job.start(lambda: mend(desk.stack, plan.previews, plan.tally, who=who, now=now, retry=retry))
    return see_other(desk, f"/failures/job?id={desk.jobs.put(job)}")


def show_job(desk: Desk, request: Request) -> Response:
    """How far a correction is; the part alone for the script that asks for it again and again."""
    key = request.query_params.get("id", "")
    job = desk.jobs.get(key)
    template = "job_part.html.j2" if "hx-request" in request.headers else "job.html.j2"
    left = Counter(each.why for each in list(job.tally.left)).most_common() if job.is_done else []
    return show(desk, template, job=job, key=key, left=left)
