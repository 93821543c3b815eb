"""Files of other programs load as they come: a station whose file is refused, or read wrongly, is not paid right."""

import json
import lzma
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playlog_cli.loading.acrcloud.detections import (
    CustomFiles,
    Detection,
    detection_of,
    invalid_isrcs,
    is_of_acrcloud,
    results_of,
    row_of,
)
from playlog_cli.loading.acrcloud.streams import Streams
from playlog_cli.loading.files.row import BadRow, Number, Row
from playlog_cli.loading.files.rows import read_rows
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.isrc import normalise
from playlog_cli.loading.matches import RowError, Seen, match_of

ONE = [Row(2, {"matched_at": "2026", "track_id": "Für Élise"})]


def read(folder: Path, content: bytes, name: str = "log.txt", encoding: str | None = None) -> list[Row | BadRow]:
    path = folder / name
    path.write_bytes(content)
    with opened(path) as source:
        return list(read_rows(source, encoding))


# --- Text: delimiters, line ends, encodings ---


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_delimiters_line_ends_and_marked_encodings_are_recognized(
    tmp_path: Path, delimiter: str, end: str, encoding: str
) -> None:
    text = f"Matched_At {delimiter}TRACK_ID{end}2026{delimiter}Für Élise{end}"

    assert read(tmp_path, text.encode(encoding)) == ONE


@pytest.mark.parametrize("encoding", ["latin-1", "mac-roman", "cp1252"])
def test_an_encoding_is_never_guessed_but_taken_from_the_option(tmp_path: Path, encoding: str) -> None:
    content = "matched_at,track_id\n2026,Für Élise\n".encode(encoding)

    (bad,) = read(tmp_path, content)
    assert isinstance(bad, BadRow)
    assert "name its encoding with --encoding, like --encoding latin-1" in bad.problem
    assert read(tmp_path, content, encoding=encoding) == ONE


def test_a_quoted_cell_keeps_delimiters_and_line_breaks(tmp_path: Path) -> None:
    rows = read(tmp_path, b'matched_at;title\r2026;"a; b\rc"\r2027;d\r')

    assert rows == [Row(2, {"matched_at": "2026", "title": "a; b\rc"}), Row(4, {"matched_at": "2027", "title": "d"})]


def test_xz_is_unpacked(tmp_path: Path) -> None:
    assert read(tmp_path, lzma.compress("matched_at,track_id\n2026,Für Élise\n".encode())) == ONE


# --- JSON of any size and layout ---


def test_objects_without_line_ends_load_wherever_the_first_line_breaks(tmp_path: Path) -> None:
    for content in (b'{"a": "1"}{"a": "2"}', b'{"a": "1"}{"a": "2"}\n{"a": "3"}', b'{"a": "1"} {"a": "2"}\n'):
        rows = read(tmp_path, content, "firehose.json")
        assert [row.values["a"] for row in rows if isinstance(row, Row)] == [str(n + 1) for n in range(len(rows))]


@pytest.mark.parametrize("members", [1_100, 1_500])
@pytest.mark.parametrize("document", [False, True])
def test_a_large_document_on_one_line_is_read_object_by_object(tmp_path: Path, members: int, document: bool) -> None:
    matches = [{"matched_at": "2026", "n": str(n), "padding": "x" * 4_000} for n in range(members)]
    text = json.dumps({"stream_id": "s-1", "data": matches, "more": {"n": "after"}} if document else matches)

    rows = read(tmp_path, text.encode(), "large.json")

    numbers = [(row.values["data"][0] if document else row.values)["n"] for row in rows if isinstance(row, Row)]
    assert numbers == [str(n) for n in range(members)]
    assert len(rows) == members


def test_the_old_table_as_json_is_history(tmp_path: Path) -> None:
    line = {"id": 7, "track_id": "t", "station_id": "s", "matched_at": "2024-03-01T12:00:00Z", "processed": True}
    fields = {"track": "t", "station": "s", "matched_at": "2024-03-01T12:00:00Z", "processed": True}
    dump = [{"model": "airplay.matchcache", "pk": 7, "fields": {**fields, "failed_reason": None}}]
    values = {**line, "id": Number("7")}

    assert read(tmp_path, json.dumps(line).encode() + b"\n", "old.jsonl") == [Row(1, values, is_of_old_table=True)]
    assert read(tmp_path, json.dumps(dump).encode(), "dump.json") == [Row(1, values, is_of_old_table=True)]


# --- Null markers, spaces, ISRCs ---


@pytest.mark.parametrize("marker", ["\\N", "NULL", "None", "nan"])
def test_a_null_marker_of_an_export_is_no_value_in_any_column(tmp_path: Path, marker: str) -> None:
    columns = "id,track_id,station_id,matched_at,processed,failed_reason,avg_confidence_score\n"
    (row,) = read(tmp_path, f"{columns}7,{marker},s,2024-03-01 12:00:00+00,f,{marker},{marker}\n".encode())

    values = {"id": "7", "station_id": "s", "matched_at": "2024-03-01 12:00:00+00", "processed": "f"}
    assert row == Row(2, values, is_of_old_table=True, null_markers=3)


def match(**values: Any) -> dict[str, Any]:
    with Seen() as seen:
        item = match_of(Row(1, {"matched_at": "2026-03-14T08:00:00Z", **values}), seen, 8)
    assert item is not None
    return item


def test_ids_are_stripped_so_that_they_are_one_station_and_one_track() -> None:
    assert match(station_id=" fm-1", track_id="T1 ")["station_id"] == {"S": "fm-1"}
    assert match(station_id=" fm-1", track_id="T1 ")["track_id"] == {"S": "T1"}
    assert match(track_id="  ")["track_id"] == {"S": "  "}


@pytest.mark.parametrize("name", ["match_id", "station_id", "track_id"])
def test_a_null_marker_as_an_id_is_a_bad_row(name: str) -> None:
    with pytest.raises(RowError, match=f"{name} is 'NULL', which exports write for no value"):
        match(**{name: "NULL"})


@pytest.mark.parametrize(
    "text", ["usab12345678", "USAB12345678", "US-AB1-23-45678", "ISRC USAB12345678", "US AB1 23 45678"]
)
def test_an_isrc_has_one_form(text: str) -> None:
    assert normalise(text) == "USAB12345678"
    assert match(isrc=text)["isrc"] == {"S": "USAB12345678"}


def test_an_invalid_isrc_keeps_its_text() -> None:
    assert normalise("unknown") is None
    assert match(isrc="unknown")["isrc"] == {"S": "unknown"}


# --- ACRCloud ---


def result(time: str, *music: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    return {"status": {"code": 0}, "metadata": {"timestamp_utc": f"2026-03-14 {time}", "music": [*music], **metadata}}


def song(acrid: str, score: int, isrc: object = None) -> dict[str, Any]:
    return {"acrid": acrid, "score": score, "title": acrid, "external_ids": {"isrc": isrc}}


def detections(
    folder: Path, *results: dict[str, Any], custom_files: CustomFiles = CustomFiles.REFUSE
) -> list[Detection]:
    rows = read(folder, "\n".join(json.dumps(each) for each in results).encode() + b"\n", "results.jsonl")
    assert all(isinstance(row, Row) and is_of_acrcloud(row) for row in rows)
    found = [
        detection_of(each, "fm-1", custom_files) for row in rows if isinstance(row, Row) for each in results_of(row)
    ]
    return [each for each in found if each]


def settled(found: list[Detection], gap: int) -> list[Row]:
    streams = Streams(timedelta(seconds=gap))
    done = [each for detection in found for each in streams.add(detection)]
    return [row_of(each) for each in [*done, *streams.finish()]]


def test_the_same_recording_is_one_track_however_its_isrc_is_written(tmp_path: Path) -> None:
    forms = ["usab12345678", "USAB12345678", "US-AB1-23-45678", "ISRC USAB12345678", "US AB1 23 45678"]
    found = detections(tmp_path, *(result(f"08:0{n}:00", song("a", 100, form)) for n, form in enumerate(forms)))

    assert {row_of(each).values["track_id"] for each in found} == {"USAB12345678"}


def test_an_invalid_isrc_is_no_id_and_is_kept(tmp_path: Path) -> None:
    (found,) = detections(tmp_path, result("08:00:00", song("acr-1", 100, "n/a")))

    assert row_of(found).values["track_id"] == "acr-1"
    assert row_of(found).values["isrc"] == "n/a"
    assert invalid_isrcs(found) == ["n/a"]


@pytest.mark.parametrize("artist", ["artist", "artists"])  # as documented, and as it was seen
def test_own_uploads_are_what_the_user_says(tmp_path: Path, artist: str) -> None:
    own = result("08:00:00", custom_files=[{"acrid": "own-1", "title": "Local", artist: "Wren", "album": "Home"}])

    with pytest.raises(RowError, match="--custom-files music or --custom-files ignore"):
        detections(tmp_path, own)
    assert detections(tmp_path, own, custom_files=CustomFiles.IGNORE) == []
    (found,) = detections(tmp_path, own, custom_files=CustomFiles.MUSIC)
    values = row_of(found).values
    assert (values["track_id"], values["artist"], values["album"]) == ("own-1", "Wren", "Home")


@pytest.mark.parametrize("kind", ["cover_songs", "humming", "custom_streams"])
def test_a_result_of_another_kind_is_a_bad_row_that_names_it(tmp_path: Path, kind: str) -> None:
    with pytest.raises(RowError, match=f"metadata holds {kind} and no music"):
        detections(tmp_path, result("08:00:00", **{kind: [{"acrid": "x"}]}))


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_result_without_a_duration_lasts_until_the_next(tmp_path: Path, newest_first: bool) -> None:
    results = [result(f"08:00:{second:02}", song("a", 100)) for second in (0, 10, 20)]
    rows = settled(detections(tmp_path, *(reversed(results) if newest_first else results)), 30)

    by_time = sorted(rows, key=lambda row: str(row.values["matched_at"]))
    assert [row.values["duration_seconds"] for row in by_time] == [Number("10"), Number("10"), Number("20")]


def test_a_long_silence_is_no_duration(tmp_path: Path) -> None:
    first, _ = settled(detections(tmp_path, result("08:00:00", song("a", 9)), result("09:00:00", song("b", 9))), 30)

    assert first.values["duration_seconds"] == Number("20")


def test_neighbours_that_list_the_same_recordings_in_another_order_are_one_airing(tmp_path: Path) -> None:
    orders = [("x", "y"), ("y", "x"), ("x", "y")]
    results = [
        result(f"08:00:{10 * n}0"[:8], song(first, 100), song(second, 99), played_duration=10)
        for n, (first, second) in enumerate(orders)
    ]
    found = detections(tmp_path, *results)

    assert [row.values["track_id"] for row in settled(found, 30)] == ["x", "x", "x"]
    assert [row.values["track_id"] for row in settled(found, 0)] == ["x", "y", "x"]


def test_the_id_of_a_match_does_not_depend_on_its_neighbours(tmp_path: Path) -> None:
    results = [
        result("08:00:00", song("x", 100), song("y", 99), played_duration=10),
        result("08:00:10", song("y", 100), song("x", 99), played_duration=10),
    ]
    together = settled(detections(tmp_path, *results), 30)
    alone = settled(detections(tmp_path, results[1]), 30)

    assert together[1].values["match_id"] == alone[0].values["match_id"]


def test_another_recording_stays_another_recording(tmp_path: Path) -> None:
    results = [
        result("08:00:00", song("x", 100), played_duration=10),
        result("08:00:10", song("y", 100), played_duration=10),
    ]

    assert [row.values["track_id"] for row in settled(detections(tmp_path, *results), 30)] == ["x", "y"]
