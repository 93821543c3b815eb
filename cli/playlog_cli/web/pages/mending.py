"""One failed match: what is wrong, its attempts, and the form that corrects it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from playlog.domain.match import Item
from playlog.domain.plain_values import plain
from playlog.domain.validation import SOURCES
from playlog.schema import MATCH_CACHE
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from playlog_cli.auditing.items import State
from playlog_cli.errors import CommandError
from playlog_cli.failures.history import history_of
from playlog_cli.failures.mending import CORRECTABLE, MendTally, mend, new_value, preview, previews
from playlog_cli.failures.records import matches_by_id
from playlog_cli.terminal import escaped
from playlog_cli.web.addresses import key_of, query_of, text_of
from playlog_cli.web.desk import Desk
from playlog_cli.web.routing import see_other, show

CHOICES = {"source": SOURCES}


@dataclass(frozen=True)
class Field:
    """An attribute in the form.

    Attributes:
        name: of the attribute.
        text: its value as the form shows it.
        mark: what validation finds, in a word; empty for nothing.
        wrong_type: its value, if it is of a type that the attribute must not have; None otherwise.
        choices: values to choose from; empty if there are many.
    """

    name: str
    text: str
    mark: str
    wrong_type: str | None
    choices: tuple[str, ...]


def show_match(desk: Desk, request: Request) -> Response:
    """All that is known of a match, and the form."""
    return _match_page(desk, request.query_params.get("id", ""), notice=request.query_params.get("notice", ""))


def verdict(desk: Desk, request: Request, form: FormData) -> Response:
    """Whether the match would be valid with what the form holds now."""
    del request
    seen = _seen(desk, key_of(form, "id"))
    try:
        planned = preview(seen, typed_values(seen, form), desk.now())
    except CommandError as error:
        return show(desk, "verdict.html.j2", problem=error.message, planned=None)
    return show(desk, "verdict.html.j2", problem=None, planned=planned)


def correct(desk: Desk, request: Request, form: FormData) -> Response:
    """Writes what the form holds, if the match is still what the form showed."""
    del request
    match_id = key_of(form, "id")
    seen = _seen(desk, match_id)
    try:
        values = typed_values(seen, form)
    except CommandError as error:
        return _match_page(desk, match_id, problem=error.message, typed=form, status=400)
    if digest_of(seen) != text_of(form, "digest"):
        return _changed_meanwhile(desk, match_id, form)
    tally = MendTally()
    now = desk.now()
    retry = "retry" in form
    if not values and not retry:
        return _match_page(desk, match_id, problem="Nothing was changed in the form.", status=400)
    planned = previews({match_id: seen}, values, tally, now)
    mend(desk.stack, planned, tally, who=desk.who(), now=now, retry=retry)
    if not planned:
        return _match_page(desk, match_id, problem=tally.left[0].why, typed=form, status=409)
    if not tally.mended:
        return _changed_meanwhile(desk, match_id, form)
    notice = "retried" if tally.retried else "defective" if retry else "corrected"
    return see_other(desk, f"/failures/match?{query_of({'id': match_id, 'notice': notice})}")


def _changed_meanwhile(desk: Desk, match_id: str, form: FormData) -> Response:
    problem = (
        "The match was changed meanwhile, and nothing was written. "
        "What you typed is still in the form: look at the match again, and save once more."
    )
    return _match_page(desk, match_id, problem=problem, typed=form, status=409)


def _match_page(
    desk: Desk, match_id: str, *, notice: str = "", problem: str = "", typed: FormData | None = None, status: int = 200
) -> Response:
    history = history_of(desk.stack, match_id, desk.now())
    match = matches_by_id(desk.stack, [match_id]).get(match_id)
    fields = fields_of(match, history.defect, typed) if match and history.state is State.FAILED else ()
    return show(
        desk,
        "match.html.j2",
        status=status,
        history=history,
        fields=fields,
        digest=digest_of(match) if match else "",
        mended=_mended(history.match or {}),
        notice=NOTICES.get(notice, ""),
        problem=problem,
    )


NOTICES = {
    "retried": "Saved. The match waits again: the next run converts it.",
    "defective": "Saved. The match would still fail, so that it does not wait again.",
    "corrected": "Saved. The match stays failed until you retry it.",
}


def _seen(desk: Desk, match_id: str) -> Item:
    match = matches_by_id(desk.stack, [match_id]).get(match_id)
    if match is None:
        raise CommandError("there is no such match any more")
    return match


def digest_of(match: Item) -> str:
    """Identifies what a match was when it was shown: its attributes of the contract, and its corrections."""
    names = [each.name for each in MATCH_CACHE] + ["mended"]
    seen = {name: match[name] for name in names if name in match}
    return sha256(json.dumps(seen, sort_keys=True, default=repr).encode()).hexdigest()


def field_text(match: Item, name: str) -> str | None:
    """An attribute as the form shows it: empty if it is absent, None if it has a type that it must not have."""
    value = match.get(name, {"NULL": True})
    if "NULL" in value:
        return ""
    kind = CORRECTABLE[name].type.value
    return escaped(str(value[kind])) if kind in value else None


def fields_of(match: Item, defect: str | None, typed: Mapping[str, Any] | None) -> tuple[Field, ...]:
    """The attributes of the form, the wrong one first.

    Args:
        match: as it is now.
        defect: the sentence of validation: it begins with the name of the wrong attribute.
        typed: what the user typed before, if the form is shown again.
    """
    wrong = (defect or "").partition(" ")[0]
    fields = []
    for name in CORRECTABLE:
        text = field_text(match, name)
        before = typed.get(name) if typed else None
        fields.append(
            Field(
                name=name,
                text=before if isinstance(before, str) else text or "",
                mark="" if name != wrong else "wrong" if text is None or text.strip() else "missing",
                wrong_type=None if text is not None else json.dumps(plain(match[name]), ensure_ascii=False),
                choices=CHOICES.get(name, ()),
            )
        )
    return tuple(sorted(fields, key=lambda each: not each.mark))


def typed_values(match: Item, form: Mapping[str, Any]) -> dict[str, dict[str, str] | None]:
    """The values that the user changed, by attribute; None removes one.

    A text that is as the form showed it is no change, whatever characters it was escaped from. A value of a wrong type
    is shown as an empty field: it stays until something is typed.

    Args:
        match: as the form showed it.
        form: what the form holds.

    Raises:
        CommandError: a value cannot be written.
    """
    values = {}
    for name in CORRECTABLE:
        text = form.get(name)
        if isinstance(text, str) and text != (field_text(match, name) or ""):
            values[name] = new_value(name, text)
    return values


def _mended(match: Mapping[str, Any]) -> list[Any]:
    """The corrections of a match, the newest first. Somebody else may have written another thing there."""
    entries = match.get("mended")
    return [each for each in reversed(entries) if isinstance(each, dict)] if isinstance(entries, list) else []
