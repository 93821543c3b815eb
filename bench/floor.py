"""The floor: transactions sent as plain JSON with SigV4 over one connection, in a process that runs nothing else.

Less than this no Python program pays that sends the same. Only the standard library. Standard input: JSON with
``transactions`` (a file with the body of a request a line), ``names`` (what their tables are called here), ``host`` and
``port``. The last line of standard output: JSON.
"""

import hashlib
import hmac
import json
import sys
import time
from http.client import HTTPConnection
from uuid import uuid4

from bench.one_run import cpu_seconds, peak_megabytes

TARGET = "DynamoDB_20120810.TransactWriteItems"


def signing_key(secret: str, day: str) -> bytes:
    """The key of a day (AWS General Reference, "Create a signed AWS API request")."""
    key = f"AWS4{secret}".encode()
    for part in (day, "us-east-1", "dynamodb", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def headers(body: bytes, host: str, now: str, key: bytes) -> dict[str, str]:
    """Headers of a signed request."""
    signed = "host;x-amz-date;x-amz-target"
    canonical = f"POST\n/\n\nhost:{host}\nx-amz-date:{now}\nx-amz-target:{TARGET}\n\n{signed}\n"
    canonical += hashlib.sha256(body).hexdigest()
    scope = f"{now[:8]}/us-east-1/dynamodb/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    return {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Date": now,
        "X-Amz-Target": TARGET,
        "Authorization": f"AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders={signed}, Signature={signature}",
    }


def main() -> None:
    """Sends the transactions one after the other, and says what that took."""
    task = json.loads(sys.stdin.readline())
    connection = HTTPConnection(task["host"], task["port"])
    host = f"{task['host']}:{task['port']}"
    key = signing_key("test", time.strftime("%Y%m%d", time.gmtime()))
    cpu = wall = 0.0
    refused = 0
    with open(task["transactions"], encoding="utf-8") as lines:
        for line in lines:
            # What a program would have in its hands: not part of the floor.
            request = json.loads(line)
            for action in request["TransactItems"]:
                for what in action.values():
                    what["TableName"] = task["names"][what["TableName"]]
            cpu, wall = cpu - cpu_seconds(), wall - time.perf_counter()
            request["ClientRequestToken"] = str(uuid4())
            body = json.dumps(request).encode()
            now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
            connection.request("POST", "/", body, headers(body, host, now, key))
            answer = connection.getresponse()
            json.loads(answer.read())
            cpu, wall = cpu + cpu_seconds(), wall + time.perf_counter()
            refused += answer.status != 200
    print(json.dumps({"cpu_seconds": cpu, "seconds": wall, "peak_megabytes": peak_megabytes(), "refused": refused}))


if __name__ == "__main__":
    main()
