"""ACRCloud's results: what was heard is one match, the same however it was fetched, and nothing is left out unsaid."""

import json
import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playlog_cli.loading.acrcloud.detections import CustomFiles, detection_of, is_of_acrcloud, results_of, row_of
from playlog_cli.loading.files.row import Number, Row
from playlog_cli.loading.files.rows import read_rows
from playlog_cli.loading.files.sources import opened
from playlog_cli.loading.matches import RowError
from playlog_cli.loading.outcomes import Options, outcomes

WISH: dict[str, Any] = {
    "title": "Friday I'm In Love ( LP Version )",
    "artists": [{"name": "The Cure"}],
    "album": {"name": "Wish"},
    "acrid": "4b10ecaa3dbcc60e9f7924919722e133",
    "score": 100,
    "duration_ms": 214400,
    "external_ids": {"isrc": ["USEE10180267", "USEE19200008"], "iswc": ["T0100954037"]},
}
ANGKARA: dict[str, Any] = {
    "title": "Angkara",
    "artists": [{"name": "Siti Nordiana"}, {"name": "Another"}],
    "acrid": "65e0152da24e3a79935c296ca1c541bf",
    "score": 88,
    "external_ids": {},
}
NO_RESULT = {"status": {"msg": "No result", "code": 1001, "version": "1.0"}}


def result(*music: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    """A result as the documentation shows it, of these candidates."""
    return {
        "status": {"msg": "Success", "code": 0, "version": "1.0"},
        "result_type": 0,
        "metadata": {
            "type": "delay",
            "timestamp_utc": "2020-07-06 04:38:43",
            "played_duration": 73,
            "music": list(music),
            "record_timestamp": "20200706043843",
            **metadata,
        },
    }


def callback(data: object, status: int = 1) -> dict[str, Any]:
    """A result as it is posted to a callback URL."""
    return {"stream_id": "s-0xAHfNh", "stream_url": "http://radio/live", "status": status, "data": data}


def read(folder: Path, document: object, station: str | None = None) -> list[Row | None]:
    """The matches of a file with this document, as rows; None where nothing was heard."""
    path = folder / "results.json"
    path.write_text(json.dumps(document))
    with opened(path) as source:
        rows = [row for row in read_rows(source) if isinstance(row, Row)]
    assert all(map(is_of_acrcloud, rows))
    found = (detection_of(each, station, CustomFiles.REFUSE) for row in rows for each in results_of(row))
    return [row_of(each) if each else None for each in found]


def test_a_result_is_a_match_with_all_that_tells_it_from_others(tmp_path: Path) -> None:
    assert read(tmp_path, callback(result(WISH))) == [
        Row(
            1,
            {
                "match_id": "s-0xAHfNh/2020-07-06T04:38:43.000000+0000/4b10ecaa3dbcc60e9f7924919722e133",
                "station_id": "s-0xAHfNh",
                "track_id": "USEE10180267",
                "matched_at": "2020-07-06T04:38:43.000000+0000",
                "duration_seconds": Number("73"),
                "avg_confidence_score": Number("100"),
                "title": "Friday I'm In Love ( LP Version )",
                "artist": "The Cure",
                "album": "Wish",
                "isrc": "USEE10180267",
                "acrid": "4b10ecaa3dbcc60e9f7924919722e133",
                "isrcs": ["USEE10180267", "USEE19200008"],
            },
        )
    ]


@pytest.mark.parametrize(
    ("contributors", "composers"),
    [
        (
            {"composers": ["Simon Gallup", "", "Robert Smith"], "lyricists": ["Robert Smith"]},
            "Simon Gallup; Robert Smith",
        ),
        ({"composers": "Robert Smith"}, None),
        ({}, None),
    ],
)
def test_composers_are_kept_for_the_catalog(
    tmp_path: Path, contributors: dict[str, Any], composers: str | None
) -> None:
    (match,) = read(tmp_path, callback(result({**WISH, "contributors": contributors})))
    assert match
    assert match.values.get("composers") == composers


def test_a_result_is_the_same_match_however_it_was_fetched(tmp_path: Path) -> None:
    one = result(WISH)
    posted = callback(one)
    matches = [
        *read(tmp_path, posted),
        *read(tmp_path, callback(json.dumps(one))),  # as a form posts it
        *read(tmp_path, one, station="s-0xAHfNh"),
        *read(tmp_path, {"data": [one]}, station="s-0xAHfNh"),  # as the Console API answers
        *read(tmp_path, {"channel_id": "s-0xAHfNh", "data": [one]}),
        *read(tmp_path, [posted], station="another"),
    ]
    assert len(matches) == 6
    assert all(match == matches[0] for match in matches)


@pytest.mark.parametrize(
    ("external_ids", "track"),
    [
        ({"isrc": "GBUM71604605"}, "GBUM71604605"),
        ({"isrc": ["GBUM71604605"]}, "GBUM71604605"),
        ({"isrc": ["", "GBUM71604605"]}, "GBUM71604605"),
        ({"isrc": []}, WISH["acrid"]),
        ({"isrc": " ", "upc": "00602557484939"}, WISH["acrid"]),
        (None, WISH["acrid"]),
    ],
)
def test_a_track_is_known_by_its_isrc_and_else_by_its_acrid(
    tmp_path: Path, external_ids: dict[str, Any] | None, track: str
) -> None:
    (match,) = read(tmp_path, callback(result({**WISH, "external_ids": external_ids})))
    assert match
    assert match.values["track_id"] == track
    assert "isrcs" not in match.values


def test_several_candidates_are_one_match_that_of_the_best_score_in_any_order(tmp_path: Path) -> None:
    without_isrc = {**ANGKARA, "acrid": "0" * 32, "score": 100}
    higher_acrid = {**WISH, "acrid": "5" * 32}
    candidates = [ANGKARA, without_isrc, higher_acrid, WISH, {**WISH, "acrid": "0", "score": None}]
    for seed in range(10):
        random.Random(seed).shuffle(candidates)
        (match,) = read(tmp_path, callback(result(*candidates)))
        assert match
        assert match.values["acrid"] == WISH["acrid"]


def test_scores_are_compared_as_numbers(tmp_path: Path) -> None:
    (match,) = read(tmp_path, callback(result({**WISH, "score": "99"}, {**ANGKARA, "score": "100"})))
    assert match
    assert match.values["title"] == "Angkara"
    assert match.values["avg_confidence_score"] == Number("100")


@pytest.mark.parametrize(
    "nothing",
    [
        NO_RESULT,
        callback(NO_RESULT, status=0),
        callback("", status=0),
        callback(None, status=0),
        callback(result(), status=0),
        result(),
    ],
    ids=["bare", "callback", "blank", "null", "status-0", "no-music"],
)
def test_silence_is_no_match_and_no_mistake(tmp_path: Path, nothing: dict[str, Any]) -> None:
    assert read(tmp_path, nothing) == [None]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (result(WISH), "the result names no stream_id or channel_id: name the station with --station"),
        (
            callback({"status": {"code": 3003, "msg": "Limit exceeded"}}),
            "status is 3003, 'Limit exceeded': that is an error",
        ),
        (callback({"status": {"code": 0}}), "metadata is missing: a result of ACRCloud's must"),
        (callback(result(WISH, timestamp_utc=None)), "metadata.timestamp_utc is None: it must be a time like"),
        (callback(result(WISH, timestamp_utc="today")), "metadata.timestamp_utc is 'today'"),
        (callback({"metadata": {"music": WISH}}), "metadata.music is not a list of objects"),
        (callback({"metadata": {"music": ["x"]}}), "metadata.music is not a list of objects"),
        (callback(result({"title": "Love"})), "the music 'Love' has neither an ISRC nor an acrid"),
        (
            callback(result(custom_files=[{"acrid": "x"}])),
            "holds custom_files and no music: .*--custom-files music or --custom-files ignore",
        ),
        (callback("{"), "data is no result of ACRCloud's: broken JSON"),
        (callback(None), "data is missing: it must be a result"),
        ({"data": [1]}, "data holds what is no object: it must hold results"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_a_match_is_said_with_what_would_be_right(
    tmp_path: Path, document: dict[str, Any], problem: str
) -> None:
    with pytest.raises(RowError, match=problem):
        read(tmp_path, document)


def test_a_match_is_no_document_of_acrclouds_whatever_else_it_holds() -> None:
    assert not is_of_acrcloud(Row(1, {"matched_at": "2026", "metadata": {}, "stream_id": "s", "data": []}))
    assert not is_of_acrcloud(Row(1, {"match_id": "m-1", "status": "new", "data": "x"}))


@pytest.mark.parametrize("duration", ["nan", "inf", "-inf", "soon"])
def test_a_duration_that_is_no_number_costs_no_other_result(tmp_path: Path, duration: str) -> None:
    path = tmp_path / "results.json"
    times = ("2020-07-06 04:38:43", "2020-07-06 04:40:43")
    path.write_text(
        "\n".join(json.dumps(callback(result(WISH, timestamp_utc=at, played_duration=duration))) for at in times)
    )
    with opened(path) as source:
        rows = list(outcomes(source, Options(), timedelta(seconds=30)))

    assert [row.values["duration_seconds"] for row in rows if isinstance(row, Row)] == [Number(duration)] * 2
