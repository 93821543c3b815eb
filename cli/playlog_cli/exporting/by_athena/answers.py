"""The rows that Athena answers, in the types that DuckDB gives them.

Pages of ``GetQueryResults`` have 1,000 rows. If one is not enough, the file in S3 is read that has the whole answer.
In the file, each value is quoted and NULL is empty: a reader of CSV that takes both for an empty text would not do.

Sources: https://docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html and
https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html
"""

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import IO, Any

from playlog_cli.exporting.places import S3_SCHEME, Bucket

_FIELD = re.compile(r'(?:^|,)("(?:[^"]|"")*")?')


def rows_of(client: Any, place: Bucket, execution: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of a statement that has succeeded.

    Args:
        client: of Athena.
        place: downloads from S3.
        execution: what ``GetQueryExecution`` says of the statement.
    """
    query = execution["QueryExecutionId"]
    page = client.get_query_results(QueryExecutionId=query)
    types = [column["Type"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]
    token = page.get("NextToken")
    if token:
        with tempfile.TemporaryDirectory(prefix="playlog-") as folder:
            path = Path(folder, "answer.csv")
            if _download(place, execution, path):
                with path.open(encoding="utf-8", newline="\n") as file:
                    yield from typed(islice(cells_in(file), 1, None), types)
                return
    yield from typed(_cells_of(page)[1:], types)  # the first row has the names of the columns
    while token:  # an embedded AWS keeps the file elsewhere, and a workgroup with managed results shows none
        page = client.get_query_results(QueryExecutionId=query, NextToken=token)
        yield from typed(_cells_of(page), types)
        token = page.get("NextToken")


def _download(place: Bucket, execution: Mapping[str, Any], path: Path) -> bool:
    location = execution.get("ResultConfiguration", {}).get("OutputLocation", "")
    bucket, _, key = location.removeprefix(S3_SCHEME).partition("/")
    return bool(key) and place.download(bucket, key, path)


def _cells_of(page: Mapping[str, Any]) -> list[list[str | None]]:
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in page["ResultSet"]["Rows"]]


def cells_in(file: IO[str]) -> Iterator[list[str | None]]:
    """The texts of the rows of the file in S3. The first row has the names of the columns.

    Args:
        file: opened with ``newline="\\n"``, so that other line ends in values stay.
    """
    held = ""
    for line in file:
        held += line
        if held.count('"') % 2 == 0:  # else the line ends within a value
            yield [_unquoted(field) for field in _FIELD.findall(held.removesuffix("\n"))]
            held = ""


def typed(rows: Iterable[Sequence[str | None]], types: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """Rows in the types of their columns.

    Args:
        rows: their texts; None for NULL.
        types: as Athena names them.
    """
    readers = [_READERS.get(kind.partition("(")[0].lower(), str) for kind in types]
    for row in rows:
        yield tuple(None if text is None else reader(text) for text, reader in zip(row, readers, strict=True))


def _unquoted(field: str) -> str | None:
    return field[1:-1].replace('""', '"') if field else None


def _is_true(text: str) -> bool:
    return text.lower() == "true"


_READERS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("bigint", "integer", "int", "smallint", "tinyint"), int),
    **dict.fromkeys(("double", "float", "real"), float),
    "decimal": Decimal,
    "boolean": _is_true,
}
