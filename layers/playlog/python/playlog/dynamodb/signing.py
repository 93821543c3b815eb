"""The signature of a DynamoDB request: the one that botocore's signer makes, at an eighth of its CPU time.

Source: AWS Identity and Access Management User Guide, "Create a signed AWS API request" (Signature Version 4).
``tests/unit/dynamodb/test_signing.py`` compares both.
"""

import hmac
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Self

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

CONTENT_TYPE = "application/x-amz-json-1.0"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The endpoint of the requests, as the signature needs it.

    Attributes:
        path: in canonical form.
        host: as the header ``Host`` has it.
        region: like ``eu-central-1``.
    """

    path: str
    host: str
    region: str

    @classmethod
    def of(cls, url: str, region: str) -> Self:
        """The endpoint of a URL. botocore's signer reads it once, with its ports, IPv6 addresses and unusual paths."""
        signer = SigV4Auth(ReadOnlyCredentials("", "", None), "dynamodb", region)
        canonical: str = signer.canonical_request(AWSRequest("POST", url, data=b""))
        _, path, _, host, *_ = canonical.split("\n")
        return cls(path, host.removeprefix("host:"), region)

    def headers(self, target: str, body: bytes, credentials: ReadOnlyCredentials, now: datetime) -> dict[str, str]:
        """The headers of a POST request, signed.

        Args:
            target: the operation, as the header ``X-Amz-Target`` names it.
            body: of the request.
            credentials: to sign with.
            now: the time in UTC.
        """
        at = f"{now:%Y%m%dT%H%M%SZ}"
        headers = {"Content-Type": CONTENT_TYPE, "Host": self.host, "X-Amz-Date": at}
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
        headers["X-Amz-Target"] = target
        # In the order of their names, as the signature needs them.
        signed = ";".join(headers).lower()
        lines = "".join([f"{name.lower()}:{value}\n" for name, value in headers.items()])
        canonical = f"POST\n{self.path}\n\n{lines}\n{signed}\n{sha256(body).hexdigest()}"
        scope = f"{at[:8]}/{self.region}/dynamodb/aws4_request"
        to_sign = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = _sign(_key(credentials.secret_key, at[:8], self.region), to_sign).hex()
        credential = f"{credentials.access_key}/{scope}"
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
        )
        del headers["Host"]  # the connection sends it
        return headers


@lru_cache(maxsize=2)
def _key(secret_key: str, day: str, region: str) -> bytes:
    """The key of a day."""
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "dynamodb", "aws4_request"):
        key = _sign(key, part)
    return key


def _sign(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")
