"""DynamoDB Local 3, AWS's own engine: fetched once from Maven Central, pinned by checksum, and run on a free port.

No Maven is needed, just Java 17 or newer. Which files there are, and what each must hash to, is listed beside this one.
"""

import hashlib
import http.client
import os
import platform
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playlog_cli.embedded.ministack import free_port
from playlog_cli.embedded.session import HOST

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = CHECKOUT / ".tools" / "dynamodb-local"
LISTED = Path(__file__).with_name("dynamodb-local.sha256")
MAVEN_CENTRAL = "https://repo1.maven.org/maven2"
MAIN_CLASS = "software.amazon.dynamodb.services.local.main.ServerRunner"

JAVA = 17
# What the list has natives for.
PLATFORMS = (("Linux", "x86_64"), ("Darwin", "x86_64"))
DOWNLOADS_AT_ONCE = 8
DOWNLOAD_SECONDS = 60.0
READY_SECONDS = 60.0  # it takes 2; a busy machine several times that
STOP_SECONDS = 5.0
POLL_SECONDS = 0.05
_VERSION = re.compile(r'version "(\d+)')


class DynamoDBLocalError(Exception):
    """DynamoDB Local cannot be fetched or run here: one line that says why, and what would be right."""


@dataclass(frozen=True)
class _Artefact:
    """A file of the list: where it is under the repository's URL, and what it must hash to."""

    path: str
    sha256: str

    @property
    def file(self) -> Path:
        return FOLDER / self.path.rpartition("/")[2]


@contextmanager
def dynamodb_local() -> Iterator[str]:
    """A DynamoDB Local, empty and in memory, that lives as long as the block.

    Yields:
        Its endpoint.

    Raises:
        DynamoDBLocalError: it cannot be fetched or run on this machine.
    """
    _check_platform()
    java = _java()
    artefacts = _listed()
    _fetch(artefacts)
    port = free_port()
    with _served(java, artefacts, port):
        yield f"http://{HOST}:{port}"


def _check_platform() -> None:
    if (platform.system(), platform.machine()) not in PLATFORMS:
        raise DynamoDBLocalError(
            f"DynamoDB Local from Maven Central has no native library for {platform.system()} on {platform.machine()}: "
            "start the image amazon/dynamodb-local and name its endpoint in DYNAMODB_ENDPOINT"
        )


def _java() -> str:
    """The ``java`` of JAVA_HOME, or else of the PATH."""
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    wanted = f"DynamoDB Local needs Java {JAVA} or newer"
    remedy = "install one (openjdk-17-jre-headless), or name an endpoint that is already there in DYNAMODB_ENDPOINT"
    if not java:
        raise DynamoDBLocalError(f"{wanted}, and there is no java on the PATH: {remedy}")
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise DynamoDBLocalError(f"{wanted}, and {java} does not start ({error.strerror}): {remedy}") from None
    version = _VERSION.search(answer.stderr)
    if not version or int(version[1]) < JAVA:
        said = (answer.stderr.splitlines() or ["nothing"])[0]
        raise DynamoDBLocalError(f"{wanted}, and {java} -version says {said!r}: {remedy}")
    return java


def _listed() -> list[_Artefact]:
    lines = (line.split() for line in LISTED.read_text().splitlines() if not line.startswith("#"))
    return [_Artefact(path, sha256) for sha256, path in lines]


def _fetch(artefacts: list[_Artefact]) -> None:
    """Downloads what is not there yet. What is there is held against its checksum all the same."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        for _ in pool.map(_fetch_one, artefacts):
            pass


def _fetch_one(artefact: _Artefact) -> None:
    if artefact.file.is_file() and _sha256(artefact.file.read_bytes()) == artefact.sha256:
        return
    url = f"{os.environ.get('MAVEN_REPOSITORY', MAVEN_CENTRAL).rstrip('/')}/{artefact.path}"
    try:
        with urllib.request.urlopen(url, timeout=DOWNLOAD_SECONDS) as answer:
            content: bytes = answer.read()
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DynamoDBLocalError(
            f"{url} cannot be fetched ({reason}): try again, or name a mirror of Maven Central in MAVEN_REPOSITORY"
        ) from None
    if (found := _sha256(content)) != artefact.sha256:
        raise DynamoDBLocalError(f"{url} has sha256 {found}, and {LISTED.name} says {artefact.sha256}: it is not used")
    # Renamed once it is whole: a download that is broken off leaves nothing that looks like a jar.
    part = artefact.file.with_suffix(".part")
    part.write_bytes(content)
    part.replace(artefact.file)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextmanager
def _served(java: str, artefacts: list[_Artefact], port: int) -> Iterator[None]:
    command = [java, f"-Dsqlite4java.library.path={FOLDER}"]
    command += ["-cp", os.pathsep.join(str(artefact.file) for artefact in artefacts), MAIN_CLASS]
    command += ["-inMemory", "-disableTelemetry", "-port", str(port)]
    log = FOLDER / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_until_ready(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _answers(port):
        if process.poll() is not None:
            raise DynamoDBLocalError(f"DynamoDB Local ended with exit status {process.returncode}: {_last_line(log)}")
        if time.monotonic() > deadline:
            raise DynamoDBLocalError(f"DynamoDB Local did not answer within {READY_SECONDS:.0f} s: {_last_line(log)}")
        time.sleep(POLL_SECONDS)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/")
        connection.getresponse()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").split("\n\n")[-1].strip() or "it wrote nothing").splitlines()[-1]
