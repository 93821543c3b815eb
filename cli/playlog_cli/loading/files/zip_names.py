"""Names of the files in a ZIP file, as their writers meant them. Pure."""

from contextlib import suppress
from zipfile import ZipInfo

_IS_UTF8 = 0x800  # flag bit of a member (APPNOTE.TXT - .ZIP File Format Specification, appendix D)


def member_name(info: ZipInfo) -> str:
    """The name of a member, with slashes between its folders.

    macOS writes UTF-8 without the flag that says so, and some programs of Windows write backslashes.

    Args:
        info: of the member.
    """
    name = info.filename
    if not info.flag_bits & _IS_UTF8 and not name.isascii():
        with suppress(UnicodeError):  # otherwise it is of the code page that the specification names
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")
