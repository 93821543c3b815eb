"""The signature of a request: AWS refuses all of a run whose requests are signed in another way than botocore's."""

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st
from playlog.dynamodb.signing import CONTENT_TYPE, Endpoint

TARGET = "DynamoDB_20120810.Query"
URLS = [
    "https://dynamodb.eu-central-1.amazonaws.com/",
    "https://dynamodb.us-east-1.amazonaws.com:443/",
    "http://127.0.0.1:4566/",
    "http://LOCALHOST:80/",
    "http://[::1]:8000/",
    "https://gateway.example/to/Dynamo DB~/",
]

printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)
credentials = st.builds(
    ReadOnlyCredentials, access_key=printable, secret_key=printable, token=st.none() | printable, account_id=st.none()
)
times = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


def signed_by_botocore(url: str, region: str, body: bytes, who: Any, now: datetime) -> dict[str, str]:
    request = AWSRequest("POST", url, {"Content-Type": CONTENT_TYPE, "X-Amz-Target": TARGET}, body)
    with patch("botocore.auth.get_current_datetime", lambda: now):
        SigV4Auth(who, "dynamodb", region).add_auth(request)
    return dict(request.headers.items())


@given(st.sampled_from(URLS), st.sampled_from(["us-east-1", "eu-central-1"]), st.binary(), credentials, times)
def test_a_request_is_signed_as_botocore_signs_it(url: str, region: str, body: bytes, who: Any, now: datetime) -> None:
    headers = Endpoint.of(url, region).headers(TARGET, body, who, now)

    assert headers == signed_by_botocore(url, region, body, who, now)


@pytest.mark.parametrize("later", [datetime(2026, 3, 15, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)])
def test_a_function_that_stays_warm_over_midnight_signs_with_the_new_days_key(later: datetime) -> None:
    who, url = ReadOnlyCredentials("test", "secret", None), URLS[0]
    endpoint = Endpoint.of(url, "us-east-1")

    endpoint.headers(TARGET, b"{}", who, datetime(2026, 3, 14, 23, 59, 59, tzinfo=UTC))

    assert endpoint.headers(TARGET, b"{}", who, later) == signed_by_botocore(url, "us-east-1", b"{}", who, later)
