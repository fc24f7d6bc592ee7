"""Objects in a store that speaks S3: of AWS, MinIO, Ceph and others.

In: a bucket, a prefix, where the store is. Out: `Objects`. Keys to it come from where boto3 finds them: the
environment (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`), its files, the machine's role.
Not known here: what the objects are.

Each object goes up in one request, so that it is there whole or not at all; the store compares its MD5, and
that of 5 GB is the largest. Checksums that older stores do not know are sent only where they must be.
"""

import base64
import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from knowledge_base.objects.types import Health, NoSuchObject, ObjectsAway, ObjectStats, Stored, checked

log = logging.getLogger(__name__)

_CONNECT_S, _ANSWER_S, _TRIES = 4, 10, 3
_AT_ONCE, _WAIT_S = 12, 2.0
"""Requests at a time, and how long one more waits: a store that hangs must not take every thread there is."""
_PIECE = 1 << 20
_MISSING = {"404", "NoSuchKey", "NotFound"}
_BEYOND = {"416", "InvalidRange"}
_USUAL_REGION = "us-east-1"
"""Which most stores that are not of AWS take for theirs."""


class S3Objects:
    """One client, which threads share."""

    def __init__(self, bucket: str, prefix: str = "", *, endpoint: str = "", region: str = ""):
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._health = Health()
        self._keeps_versions: bool | None = None
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        session = boto3.session.Session()
        self._client: Any = session.client(
            "s3",
            endpoint_url=endpoint or None,
            region_name=region or session.region_name or (_USUAL_REGION if endpoint else None),
            config=Config(
                connect_timeout=_CONNECT_S,
                read_timeout=_ANSWER_S,
                retries={"mode": "standard", "total_max_attempts": _TRIES},
                max_pool_connections=_AT_ONCE,
                tcp_keepalive=True,
                # Names of buckets as names of hosts need entries in a DNS of the store's own.
                s3={"addressing_style": "path" if endpoint else "auto"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, name: str, file: Path) -> None:
        """In one request, which the store compares with its MD5."""
        with file.open("rb") as body, self._asking(name) as key:
            digest = hashlib.file_digest(body, lambda: hashlib.md5(usedforsecurity=False))
            size = body.tell()
            body.seek(0)
            told = base64.b64encode(digest.digest()).decode()
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentLength=size, ContentMD5=told
            )

    def fetch(self, name: str, into: Path) -> None:
        """Piece by piece, in one request."""
        with self._asking(name) as key, into.open("wb") as out:
            body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            with body:
                while piece := body.read(_PIECE):
                    out.write(piece)

    def read(self, name: str, start: int, end: int) -> bytes:
        """One request for that range."""
        if end <= start:
            return b""
        try:
            with self._asking(name) as key:
                wanted = f"bytes={start}-{end - 1}"
                return self._all_of(self._client.get_object(Bucket=self._bucket, Key=key, Range=wanted))
        except _BeyondEnd:
            return b""

    def size(self, name: str) -> int | None:
        """Asked for by HEAD."""
        try:
            with self._asking(name) as key:
                return int(self._client.head_object(Bucket=self._bucket, Key=key)["ContentLength"])
        except NoSuchObject:
            return None

    def text(self, name: str) -> str | None:
        """All of a small object."""
        try:
            with self._asking(name) as key:
                data = self._all_of(self._client.get_object(Bucket=self._bucket, Key=key))
        except NoSuchObject:
            return None
        return data.decode(errors="replace")

    def set_text(self, name: str, text: str) -> None:
        """In one request."""
        with self._asking(name) as key:
            data = text.encode()
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentLength=len(data))

    def delete(self, name: str) -> None:
        """Also its older versions, where the bucket keeps such and lets us: what is deleted is gone."""
        with self._asking(name) as key:
            self._client.delete_object(Bucket=self._bucket, Key=key)
            for version in self._versions(key):
                self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

    def under(self, prefix: str) -> Iterator[Stored]:
        """A page of up to a thousand at a time."""
        more: dict[str, str] = {}
        while True:
            with self._asking(prefix.rstrip("/")) as key:
                page = self._client.list_objects_v2(Bucket=self._bucket, Prefix=f"{key}/", **more)
            for one in page.get("Contents", ()):
                yield Stored(
                    name=one["Key"].removeprefix(self._prefix),
                    n_bytes=one["Size"],
                    changed=one["LastModified"].timestamp(),
                )
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def stats(self) -> ObjectStats:
        """How it has fared."""
        return self._health.stats()

    def close(self) -> None:
        """Let connections go."""
        self._client.close()

    def _versions(self, key: str) -> list[str]:
        if self._keeps_versions is False:
            return []
        try:
            page = self._client.list_object_versions(Bucket=self._bucket, Prefix=key)
        except ClientError as error:  # not allowed to, or the store has none
            log.info("older versions of objects cannot be listed (%s)", _code_of(error))
            self._keeps_versions = False
            return []
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        return [one["VersionId"] for one in found if one["Key"] == key]

    @staticmethod
    def _all_of(answer: Any) -> bytes:
        with answer["Body"] as body:
            data: bytes = body.read()
        return data

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=_WAIT_S):
            raise ObjectsAway("请求太多，都没有回应")
        try:
            yield
        finally:
            self._places.release()

    @contextmanager
    def _asking(self, name: str) -> Iterator[str]:
        key = self._prefix + checked(name)
        with self._health.watching(), self._place():
            try:
                yield key
            except ClientError as error:
                code = _code_of(error)
                if code in _MISSING:
                    raise NoSuchObject(name) from None
                if code in _BEYOND:
                    raise _BeyondEnd(name) from None
                raise ObjectsAway(code) from error
            except BotoCoreError as error:
                raise ObjectsAway(type(error).__name__) from error


class _BeyondEnd(NoSuchObject):
    """The object has no such range."""


def _code_of(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", "")) or "ClientError"
