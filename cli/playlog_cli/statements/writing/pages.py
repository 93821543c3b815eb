"""Statements as pages to print: one for each payee, and a summary. They load nothing from anywhere. Pure."""

from functools import cache
from pathlib import Path
from typing import TextIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from playlog_cli.catalog.shares import part_in_words
from playlog_cli.reporting.forms import grouped, plain
from playlog_cli.reporting.rate_card import exact_sum
from playlog_cli.statements.making import Payment, Run
from playlog_cli.statements.writing.rows import held_rows, lookalikes_in_words, remark


def write_statement(payment: Payment, run: Run, file: TextIO) -> None:
    """Writes the page of a payee.

    Args:
        payment: whose.
        run: with the names of the tracks.
        file: UTF-8.
    """
    file.writelines(
        _templates().get_template("statement.html.j2").generate(payment=payment, **_common(run), catalog=run.catalog)
    )


def write_summary_page(run: Run, files: dict[str, str], file: TextIO) -> None:
    """Writes the page that says who gets what.

    Args:
        run: the statements.
        files: the name of each payee's page.
        file: UTF-8.
    """
    held = list(held_rows(run))
    payments = run.payments
    file.writelines(
        _templates()
        .get_template("summary.html.j2")
        .generate(
            payments=payments,
            files=files,
            held=held,
            paid=exact_sum(payment.of_period for payment in payments),
            adjusted=exact_sum(payment.adjusted for payment in payments),
            total=exact_sum(payment.amount for payment in payments),
            run=run,
            **_common(run),
        )
    )


def _common(run: Run) -> dict[str, object]:
    return {"period": run.statements.period, "card": run.statements.card, "stations": ", ".join(run.stations)}


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "count": "{:,}".format,
        "number": grouped,
        "plain": plain,
        "share": part_in_words,
        "remark": remark,
        "lookalikes": lookalikes_in_words,
    }
    return templates
