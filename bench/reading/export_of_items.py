"""The part of an export that is ours: pages of a scan become Parquet. The pages are made up, and no AWS is asked.

    python -m bench.reading.export_of_items ITEMS FOLDER

Prints JSON: the CPU seconds, without those that it takes to make the pages up.
"""

import json
import sys
from pathlib import Path

from playlog_cli.exporting.columns import PLAYS
from playlog_cli.exporting.engine import open_engine
from playlog_cli.exporting.export import put_files
from playlog_cli.exporting.parts import write_parts
from playlog_cli.exporting.places import Folder

from bench.accounting.__main__ import MadeUp
from bench.one_run import cpu_seconds


def main() -> None:
    """Makes the pages up once for nothing, and once for the export."""
    items, folder = int(sys.argv[1]), Path(sys.argv[2])
    began = cpu_seconds()
    for _ in MadeUp(items).pages():
        pass
    made = cpu_seconds()
    with open_engine() as engine:
        for paths in write_parts(engine, PLAYS, MadeUp(items).pages(), engine.scratch / "parquet"):
            put_files(engine, PLAYS, paths, engine.scratch / "parquet", Folder(folder), "bench")
    print(json.dumps({"cpu_seconds": cpu_seconds() - made - (made - began)}))


if __name__ == "__main__":
    main()
