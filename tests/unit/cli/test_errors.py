"""What ends a command is a sentence for its user."""

import errno
import os

import pytest
from playlog_cli.errors import explained
from playlog_cli.loading.formats.catalog import find_format


def test_a_name_that_no_file_can_have_is_no_traceback() -> None:
    error = OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), "x" * 300)

    assert explained(error) == f"no file can be called '{'x' * 79}… (302 characters): File name too long"


def test_a_log_format_with_such_a_name_is_none_that_ships() -> None:
    with pytest.raises(Exception, match="it must be the path of a TOML file, or one of"):
        find_format("x" * 300)
