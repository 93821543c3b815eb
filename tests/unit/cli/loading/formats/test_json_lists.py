"""Songs in lists of JSON are read or named: a song that a file loses in silence is paid to nobody."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from playlog_cli.loading.files import json_documents
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.formats.guessing import sample
from playlog_cli.loading.formats.guessing.draft import draft_format
from playlog_cli.loading.formats.guessing.sample import read_sample
from playlog_cli.loading.formats.reading.rows import read_log
from playlog_cli.loading.formats.toml.parse import parse_format

from tests.unit.cli.loading.formats.logs import matches, outcomes, problems

FORMAT = """
optional_columns = ["station"]
rows = "songs"
[match]
matched_at = { column = "songs.at", format = "unix" }
title = "songs.title"
artist = "songs.artist"
station_id = "station"
"""


def songs(count: int, first: int = 0, letters: int = 10_000) -> list[dict[str, Any]]:
    """Songs of about so many bytes as the letters of their artist."""
    numbers = range(first, first + count)
    return [{"at": 1_773_471_605 + n, "title": f"Song {n}", "artist": "A" * letters} for n in numbers]


LONG = json.dumps({"station": "fm-1", "songs": songs(200)})
SONG = '{"at": 1773471755, '


def count(path: Path) -> int:
    """Reads a file row by row. Returns how many there are."""
    with opened(path) as source:
        return sum(1 for _ in read_log(source, parse_format("a.toml", FORMAT), None))


def read(folder: Path, content: str, toml: str = FORMAT) -> tuple[list[dict[str, Any]], list[str]]:
    """The matches of a file, and what is wrong with its bad rows."""
    (folder / "a.json").write_text(content)
    rows = outcomes(folder / "a.json", toml)
    return matches(rows), [problem for _, problem in problems(rows)]


@pytest.mark.parametrize(
    ("before", "after", "lost", "says"),
    [
        (SONG, SONG[1:], 1, "stands outside of an object"),
        (SONG, f'5, "x", {SONG}', 0, """'5, "x"' stands outside of an object"""),
        ("]}", ', "x"]}', 0, """'"x"' stands outside of an object"""),
        (SONG, f"[{SONG}", 0, "'[' stands outside of an object"),
        (SONG, f"], {SONG}", 50, "after the long list, broken JSON"),
        ("]}", '], "next": none}', 0, "after the long list, broken JSON"),
        ("]}", '], "songs": []}', 0, "after the long list, the object names 'songs' twice"),
        ("]}", '], "jingles": [null, {"at": 1}]}', 0, "has objects in a list after its long one"),
    ],
)
def test_what_is_not_read_of_a_long_list_is_named(
    tmp_path: Path, before: str, after: str, lost: int, says: str
) -> None:
    assert before in LONG
    found, bad = read(tmp_path, LONG.replace(before, after))

    assert len(found) == 200 - lost
    assert says in bad[0]


def test_two_quotes_too_many_do_not_hide_the_songs_between_them(tmp_path: Path) -> None:
    other = '{"at": 1773471765, '
    found, bad = read(tmp_path, LONG.replace(SONG, f'" {SONG}').replace(other, f'" {other}'))

    assert len(found) == 190
    assert "stands outside of an object" in bad[0]


@pytest.mark.parametrize(
    "end", ['], "next": "[{x}]"}', '], "next": null, "meta": {"links": [{"url": "x"}]}}', ", null]}"]
)
def test_the_rest_of_a_document_may_hold_anything_but_a_second_list(tmp_path: Path, end: str) -> None:
    found, bad = read(tmp_path, LONG.removesuffix("]}") + end)

    assert (len(found), bad) == (200, [])


def test_songs_have_the_station_that_stands_after_them(tmp_path: Path) -> None:
    document = [{"songs": songs(1), "station": "fm-1"}, {"songs": songs(250, 1), "station": "fm-2"}]

    found, bad = read(tmp_path, json.dumps(document))

    assert [each["station_id"] for each in found] == ["fm-1"] + ["fm-2"] * 250
    assert bad == []


def test_songs_are_not_loaded_in_silence_without_the_station_that_stands_too_far_after_them(tmp_path: Path) -> None:
    document = [{"songs": songs(1), "station": "fm-1"}, {"songs": songs(500), "station": "fm-2"}]

    found, bad = read(tmp_path, json.dumps(document))

    assert len(found) == 501
    (problem,) = bad
    assert "'station' after its long list, whose rows were read without it: take the load back" in problem


def test_the_station_of_each_programme_does_not_hang_on_that_of_the_document(tmp_path: Path) -> None:
    programmes = [{"station": "fm-1", "songs": songs(50, 50 * n)} for n in range(4)]

    found, bad = read(tmp_path, json.dumps({"programmes": programmes, "station": "fm-2"}))

    assert ({each["station_id"] for each in found}, len(found), bad) == ({"fm-1"}, 200, [])


@pytest.mark.parametrize(
    "page",
    [
        {"programmes": [{"songs": songs(2, 2)}], "tags": []},
        {"programmes": [{"songs": songs(2, 2)}, None]},
        {"hosts": [{"name": "A"}], "programmes": [{"title": "News"}, {"songs": songs(2, 2)}]},
        {"morning": [{"songs": songs(1, 2)}], "evening": [{"songs": songs(1, 3)}]},
        {"songs": [songs(1, 2), [songs(1, 3)], []]},
    ],
)
def test_a_page_that_has_more_lists_than_the_first_one_loses_no_songs(tmp_path: Path, page: dict[str, Any]) -> None:
    pages = [{"programmes": [{"songs": songs(2)}]}, page]

    found, bad = read(tmp_path, "".join(json.dumps(each) + "\n" for each in pages))

    assert [each["title"] for each in found] == ["Song 0", "Song 1", "Song 2", "Song 3"]
    assert bad == []


@pytest.mark.parametrize("inner", ["[" * 900 + "]" * 900, '{"a":' * 900 + "1" + "}" * 900])
@pytest.mark.parametrize("name", ["artist", "other", "songs"])
def test_lists_in_lists_without_end_are_a_bad_row(tmp_path: Path, inner: str, name: str) -> None:
    deep = (
        f'{{"station": "fm-1", "songs": [{{"at": 1773471605}}], "x": {{"{name}": {inner}}}, "songs.{name}": {inner}}}\n'
    )

    found, bad = read(tmp_path, deep + json.dumps({"songs": songs(1)}) + "\n")

    assert len(found) == 1
    assert "nested too deeply" in bad[0]


def test_the_songs_of_many_programmes_do_not_fill_the_memory(tmp_path: Path) -> None:
    programme = json.dumps({"station": "fm-1", "songs": songs(100, letters=1_000)})
    (tmp_path / "a.json").write_text("[" + ",\n".join([programme] * 60) + "]")
    size = (tmp_path / "a.json").stat().st_size

    tracemalloc.start()
    rows = count(tmp_path / "a.json")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows == 6_000
    assert peak < size / 2


@pytest.mark.parametrize(
    "before", [{"day": "2026-03-14"}, {"hosts": [{"name": "A"}]}, {"day": "2026-03-14", "tags": [1]}]
)
def test_a_format_is_drafted_from_a_document_of_any_size(tmp_path: Path, before: dict[str, Any]) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**before, "songs": songs(450)}))

    toml = draft_format(read_sample(path, None), path.name)

    assert 'rows = "songs"' in toml.splitlines()
    assert "songs has 450 members in 1 object:" in toml


@pytest.mark.parametrize(
    ("objects", "rows"),
    [
        ([{"station": "a", "songs": songs(5)}, {"station": "b", "songs": []}], ['rows = "songs"']),
        ([{"station": "a", "songs": songs(5)}, {"station": "b", "songs": songs(4), "tags": []}], ['rows = "songs"']),
        ([{"title": "Jóga", "artists": [{"name": "Björk"}]}, {"title": "Hunter"}], []),
    ],
)
def test_a_format_is_drafted_from_objects_of_which_some_have_other_lists(
    tmp_path: Path, objects: list[dict[str, Any]], rows: list[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(objects))

    toml = draft_format(read_sample(path, None), path.name)

    assert [line for line in toml.splitlines() if line.startswith("rows")] == rows
    assert "title = " in toml


def test_a_format_is_drafted_from_the_first_of_many_programmes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample, "_MOST_CHUNKS", 16)
    programme = json.dumps({"station": "fm-1", "songs": songs(100, letters=1_000)})
    path = tmp_path / "a.json"
    path.write_text("[" + ",\n".join([programme] * 30) + "]")

    assert 500 < len(read_sample(path, None).rows) < 1_100


def test_what_stands_between_objects_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_documents, "LONGEST_LINE", 256 * 1024)
    (tmp_path / "a.json").write_text(f"[{json.dumps({'songs': songs(1)})}{', 1234567890' * 400_000}]")
    size = (tmp_path / "a.json").stat().st_size

    tracemalloc.start()
    rows = count(tmp_path / "a.json")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert 2 <= rows < 30
    assert peak < size / 2
