"""Makes ``catalog.csv``: a made-up catalog of the tracks of ``airplay.csv``.

    python -m samples.make_catalog

Every value follows from the track's id, so that every machine makes the same bytes. Nothing in it exists. Some tracks
have no payee, no label, or shares that do not add up: a catalog of the real world has such gaps.
"""

import csv
from pathlib import Path
from zlib import crc32

SAMPLES = Path(__file__).parent
COLUMNS = ("track_id", "title", "artist", "album", "label", "isrc", "composers", "payee", "shares")
LABELS = ("Hollow Records", "Fjordlight", "Small Hours", "Tin Roof Music", "Paper Boat")
COMPOSERS = ("A. Ferrant", "I. Lumley", "O. Brask", "T. Winterbourne", "M. Okonedo", "Z. Halloran")
NO_PAYEE, NOT_WHOLE, NO_LABEL = 40, 97, 25  # one track in so many


def drawn(track_id: str, purpose: str, most: int) -> int:
    """A number from 0 to below ``most``, which follows from the track and the purpose."""
    return crc32(f"{purpose}:{track_id}".encode()) % most


def row_of(track_id: str, title: str, artist: str) -> dict[str, str]:
    """The row of a track."""
    label = "" if drawn(track_id, "no label", NO_LABEL) == 0 else LABELS[drawn(artist, "label", len(LABELS))]
    composer = COMPOSERS[drawn(track_id, "composer", len(COMPOSERS))]
    row = {
        "track_id": track_id,
        "title": title,
        "artist": artist,
        "album": f"{title.split(maxsplit=1)[0].strip(',')} Songs" if label else "",
        "label": label,
        "composers": composer,
    }
    if drawn(track_id, "no payee", NO_PAYEE) == 0:
        return row
    if drawn(track_id, "not whole", NOT_WHOLE) == 0:
        return {**row, "shares": f"60% {artist} as artist; 30% {composer} as composer"}
    match drawn(track_id, "shares", 4):
        case 0:
            return {
                **row,
                "shares": f"50% {artist} as artist; 50% {label or composer} as {'label' if label else 'composer'}",
            }
        case 1:
            return {**row, "shares": f"2/3 {artist} as artist; 1/3 {composer} as composer"}
        case _:
            return {**row, "payee": artist}


def main() -> None:
    """Writes the catalog beside the sample day."""
    with (SAMPLES / "airplay.csv").open(encoding="utf-8", newline="") as file:
        names = {
            row["track_id"]: (row["title"], row["artist"]) for row in csv.DictReader(file) if row["track_id"].strip()
        }
    with (SAMPLES / "catalog.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(row_of(track_id, *names[track_id]) for track_id in sorted(names))


if __name__ == "__main__":
    main()
