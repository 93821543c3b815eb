"""Opens the user's browser without showing the token to other users of the machine.

A browser's command line is visible to them (`ps`), so that it names a private file, which leads to the address. Jupyter
does so too (its setting `use_redirect_file`). The file is in the home directory: a browser in a sandbox reads nothing
else (Ubuntu's Firefox neither the temporary directory nor hidden folders).
"""

import webbrowser
from html import escape
from pathlib import Path
from tempfile import NamedTemporaryFile

_PAGE = """<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0; url={address}">
<title>playlog</title>
<p><a href="{address}">Open playlog</a></p>
"""


def write_leading_file(address: str, folder: Path) -> Path:
    """Writes a page that leads to an address. Nobody but its owner can read it.

    Args:
        address: where it leads.
        folder: where the file is written.

    Returns:
        The file, which the caller deletes.

    Raises:
        OSError: the folder cannot be written.
    """
    with NamedTemporaryFile("w", prefix="playlog-", suffix=".html", dir=folder, delete=False, encoding="utf-8") as file:
        file.write(_PAGE.format(address=escape(address)))
    return Path(file.name)


def open_file(file: Path) -> bool:
    """Opens a file in the user's browser.

    Returns:
        Whether there is a browser.
    """
    return webbrowser.open(file.as_uri())
