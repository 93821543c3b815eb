"""The token of the browser that is opened is visible to nobody else on the machine."""

import stat
from html import unescape
from pathlib import Path

from playlog_cli.web.access.opening import write_leading_file

ADDRESS = "http://127.0.0.1:8500/enter?token=secret"


def test_the_file_that_holds_the_token_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    file = write_leading_file(ADDRESS, tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert f"url={ADDRESS}" in unescape(file.read_text())
    assert "secret" not in file.as_uri()


def test_two_servers_do_not_share_a_file(tmp_path: Path) -> None:
    assert write_leading_file(ADDRESS, tmp_path) != write_leading_file(ADDRESS, tmp_path)
