"""Where an export lies: a folder on this machine, or a prefix in a bucket of S3."""

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import ClientError

from playlog_cli.errors import CommandError, shown
from playlog_cli.stacks.stack import CLIENT_CONFIG

S3_SCHEME = "s3://"
_BLOCK = 1 << 20
# Generations begin with a date; whatever else lies beside them is left alone.
_GENERATION = re.compile(r"\d{8}T\d{6}\.\d{6}Z")


class Place(Protocol):
    """Holds the files of an export by their paths within it. Each file is there whole, or not at all."""

    @property
    def name(self) -> str:
        """As the user wrote it."""

    def read_text(self, path: str) -> str | None:
        """The text of a file; None if there is no such file."""

    def write_text(self, path: str, text: str) -> None:
        """Writes a file, or replaces it."""

    def put(self, source: Path, path: str) -> None:
        """Copies a file of this machine to a path."""

    def copy(self, source: str, path: str) -> None:
        """Copies a file within the export."""

    def fetch(self, path: str, scratch: Path) -> Path | None:
        """A file of this machine with the content of a path; None if there is no such file.

        Args:
            path: within the export.
            scratch: a folder for the file, if it must be downloaded.
        """

    def remove_file(self, path: str) -> None:
        """Removes a file, if it is there."""

    def generations(self) -> list[str]:
        """The folders of finished and broken-off exports, the oldest first."""

    def remove(self, generation: str) -> None:
        """Removes a folder with all that it holds."""


def place_of(name: str, session: boto3.Session | None = None) -> Place:
    """The place that a user names.

    Args:
        name: a folder, or ``s3://BUCKET/PREFIX``.
        session: region and credentials for S3; None for those of the environment.

    Raises:
        CommandError: it names neither.
    """
    if not name.startswith(S3_SCHEME):
        if re.match(r"\w+://", name):
            raise CommandError(f"{shown(name)} is neither a folder nor like s3://BUCKET/PREFIX")
        return Folder(Path(name))
    bucket, _, prefix = name.removeprefix(S3_SCHEME).partition("/")
    if not bucket:
        raise CommandError(f"{shown(name)} names no bucket: it must be like s3://BUCKET/PREFIX")
    return Bucket(name, bucket, prefix.strip("/"), session or boto3.Session())


@dataclass(frozen=True)
class Folder:
    """A folder on this machine."""

    path: Path

    @property
    def name(self) -> str:
        """As the user wrote it."""
        return str(self.path)

    def read_text(self, path: str) -> str | None:
        """The text of a file; None if there is no such file."""
        try:
            return (self.path / path).read_text(encoding="utf-8")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{self.path / path} cannot be read: {error}") from None

    def write_text(self, path: str, text: str) -> None:
        """Writes a file, or replaces it."""
        self._write(path, lambda part: part.write_text(text, encoding="utf-8"))

    def put(self, source: Path, path: str) -> None:
        """Copies a file of this machine to a path."""
        self._write(path, lambda part: shutil.copyfile(source, part))

    def copy(self, source: str, path: str) -> None:
        """Copies a file within the export."""
        self.put(self.path / source, path)

    def remove_file(self, path: str) -> None:
        """Removes a file, if it is there."""
        (self.path / path).unlink(missing_ok=True)

    def fetch(self, path: str, scratch: Path) -> Path | None:
        """The file itself; None if there is no such file."""
        del scratch
        file = self.path / path
        return file if file.is_file() else None

    def generations(self) -> list[str]:
        """The folders of finished and broken-off exports, the oldest first."""
        if not self.path.is_dir():
            return []
        return sorted(each.name for each in self.path.iterdir() if each.is_dir() and _GENERATION.fullmatch(each.name))

    def remove(self, generation: str) -> None:
        """Removes a folder with all that it holds."""
        shutil.rmtree(self.path / generation, ignore_errors=True)

    def _write(self, path: str, write: Any) -> None:
        target = self.path / path
        part = target.with_name(f"{target.name}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            write(part)
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise CommandError(
                f"{target} cannot be written: {error.strerror}. "
                "The export is not finished; an earlier one in this folder is as it was"
            ) from None


@dataclass(frozen=True)
class Bucket:
    """A prefix in a bucket of S3."""

    name: str
    bucket: str
    prefix: str
    session: boto3.Session

    @cached_property
    def client(self) -> Any:
        """Client for S3."""
        return self.session.client("s3", config=CLIENT_CONFIG)

    @property
    def region(self) -> str | None:
        """Where the bucket is; None if S3 does not say so."""
        region: str | None = self.client.head_bucket(Bucket=self.bucket).get("BucketRegion")
        return region

    @property
    def digest(self) -> str:
        """Tells places apart, in names that may not have all characters."""
        return hashlib.sha256(f"{self.bucket}/{self.prefix}".encode()).hexdigest()[:8]

    def key(self, path: str) -> str:
        """The key of a path within the export."""
        return f"{self.prefix}/{path}" if self.prefix else path

    def read_text(self, path: str) -> str | None:
        """The text of an object; None if there is no such object."""
        try:
            body: bytes = self.client.get_object(Bucket=self.bucket, Key=self.key(path))["Body"].read()
        except ClientError as error:
            if error.response["Error"].get("Code") == "NoSuchKey":
                return None
            raise
        return body.decode(errors="replace")

    def write_text(self, path: str, text: str) -> None:
        """Writes an object, or replaces it."""
        self.client.put_object(Bucket=self.bucket, Key=self.key(path), Body=text.encode())

    def put(self, source: Path, path: str) -> None:
        """Copies a file of this machine to a path."""
        with source.open("rb") as file:
            self.client.put_object(Bucket=self.bucket, Key=self.key(path), Body=file)

    def copy(self, source: str, path: str) -> None:
        """Copies a file within the export. S3 does it, so that nothing is downloaded."""
        origin = {"Bucket": self.bucket, "Key": self.key(source)}
        self.client.copy_object(Bucket=self.bucket, Key=self.key(path), CopySource=origin)

    def remove_file(self, path: str) -> None:
        """Removes an object, if it is there."""
        self.client.delete_object(Bucket=self.bucket, Key=self.key(path))

    def fetch(self, path: str, scratch: Path) -> Path | None:
        """Downloads an object; None if there is no such object."""
        target = scratch / path
        target.parent.mkdir(parents=True, exist_ok=True)
        return target if self.download(self.bucket, self.key(path), target) else None

    def download(self, bucket: str, key: str, target: Path) -> bool:
        """Downloads an object of any bucket.

        Returns:
            Whether there is such an object.

        Raises:
            CommandError: the disk is full.
        """
        try:
            body = self.client.get_object(Bucket=bucket, Key=key)["Body"]
        except ClientError as error:
            if error.response["Error"].get("Code") == "NoSuchKey":
                return False
            raise
        blocks = body.iter_chunks(_BLOCK)
        try:
            with target.open("wb") as file:
                file.writelines(blocks)
        except OSError as error:
            raise CommandError(
                f"s3://{bucket}/{key} cannot be written to {target}: {error.strerror}. TMPDIR names another disk"
            ) from None
        return True

    def generations(self) -> list[str]:
        """The folders of finished and broken-off exports, the oldest first."""
        start = self.key("")
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=start, Delimiter="/")
        names = {
            each["Prefix"].removeprefix(start).strip("/") for page in pages for each in page.get("CommonPrefixes", [])
        }
        return sorted(name for name in names if _GENERATION.fullmatch(name))

    def keys_below(self, prefix: str) -> Iterator[str]:
        """The keys of the objects in the bucket that begin with a prefix."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        for page in pages:
            yield from (each["Key"] for each in page.get("Contents", []))

    def remove(self, generation: str) -> None:
        """Removes a folder with all that it holds."""
        for key in list(self.keys_below(self.key(f"{generation}/"))):
            self.client.delete_object(Bucket=self.bucket, Key=key)


def sha256_of(path: Path) -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
