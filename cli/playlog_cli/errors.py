"""What a user is told when a command cannot do its work."""


class CommandError(Exception):
    """A mistake or an outage that the user can mend: shown as one line, exit status 1, no traceback.

    The message says which value is wrong, where it stands, and what would be right.
    """
