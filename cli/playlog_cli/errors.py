"""What a command says when it cannot do its work."""

import errno
from collections.abc import Iterable, Sequence
from itertools import accumulate

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ReadTimeoutError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)

# Of a write to standard output: a full disk, a used-up quota.
_OUTPUT_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MOST_LISTED = 600  # characters
_EXPIRED = (SSOTokenLoadError, TokenRetrievalError, UnauthorizedSSOTokenError)
_EXPIRED_CODES = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_REJECTED_CODES = {
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_DENIED_CODES = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
_THROTTLED_CODES = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}


class CommandError(Exception):
    """A mistake or an outage that the user can put right: shown as one line, exit status 1, no traceback.

    Args:
        message: says which value is wrong, where it is, and what would be right.
        log_lines: the last lines of a tool that failed, shown below the message.
    """

    def __init__(self, message: str, log_lines: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.log_lines = tuple(log_lines)

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {line}" for line in self.log_lines)])


def explained(error: Exception) -> str | None:
    """A sentence for the user about what ended a command; None if the error is a defect of this program."""
    match error:
        case CommandError():
            return error.message
        case BotoCoreError() | ClientError():
            return explain(error)
        case OSError() if error.errno in _OUTPUT_ERRORS and error.filename is None:
            return f"the output cannot be written: {error.strerror}"
        case OSError() if error.errno == errno.ENAMETOOLONG:
            return f"no file can be called {shown(error.filename)}: {error.strerror}"
        case _:
            return None


def shown(value: object) -> str:
    """Quotes a value in a message: as Python writes it, and shortened if it is long."""
    text = repr(value)
    return text if len(text) <= 100 else f"{text[:80]}… ({len(text):,} characters)"


def listed(names: Iterable[str]) -> str:
    """Names for a message, as many as fit in some lines."""
    quoted = [repr(name) for name in names]
    ends = list(accumulate(len(name) + 2 for name in quoted))
    most = sum(end <= _MOST_LISTED for end in ends)
    rest = f" and {len(quoted) - most:,} more" if most < len(quoted) else ""
    return ", ".join(quoted[:most]) + rest


def explain(error: BotoCoreError | ClientError) -> str:
    """Says in one line why AWS could not be used, and what would be right.

    Args:
        error: an exception of boto3.
    """
    text = _client_error(error) if isinstance(error, ClientError) else _core_error(error)
    return " ".join(text.split())


def _core_error(error: BotoCoreError) -> str:
    match error:
        case NoCredentialsError() | PartialCredentialsError():
            return (
                f"no usable AWS credentials ({error}): name a profile with --profile, set AWS_PROFILE, "
                "or set AWS_ENDPOINT_URL to an embedded AWS as `playlog local up` prints it"
            )
        case ProfileNotFound():
            return f"{error}: name one of those that `aws configure list-profiles` shows"
        case NoRegionError():
            return "no AWS region: name one with --region, or set AWS_REGION; `playlog local up` starts an embedded AWS"
        case EndpointConnectionError() | ConnectTimeoutError():
            return (
                f"nothing answers at {error.kwargs['endpoint_url']}: is AWS_ENDPOINT_URL right, or the region, "
                "and is the network up? `playlog local up` starts an embedded AWS"
            )
        case ReadTimeoutError():
            return f"no answer in time from {error.kwargs['endpoint_url']}: `playlog status` shows where things stand"
        case _ if isinstance(error, _EXPIRED):
            return f"the AWS sign-in has expired ({error}): sign in again, say with `aws sso login`"
        case _:
            return f"AWS could not be called: {error}"


def _client_error(error: ClientError) -> str:
    code = error.response["Error"].get("Code", "")
    said = f"{error.operation_name}: {code}: {error.response['Error'].get('Message', '')}"
    if code in _EXPIRED_CODES:
        return f"the AWS credentials have expired ({said}): sign in again, say with `aws sso login`"
    if code in _REJECTED_CODES:
        return f"AWS does not know these credentials ({said}): name the right profile with --profile"
    if code in _DENIED_CODES:
        return f"AWS denies this to the credentials in use ({said}): use a profile that may do it"
    if code in _THROTTLED_CODES:
        return f"AWS is throttling ({said}): wait a moment and run the command again"
    return f"AWS refused a request ({said})"
