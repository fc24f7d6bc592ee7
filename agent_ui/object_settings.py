"""What can be set about where files lie that all servers of a house share.

In: variables that begin with `ZHITING_`. Out: a part of `Settings`, checked.
Not known here: who uses which of them, keys to the store (boto3 finds them by itself).
"""

from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from knowledge_base.objects.opening import check_address, open_objects
from knowledge_base.objects.types import Objects


class ObjectSettings(BaseSettings):
    """In the data folder, unless it is set otherwise."""

    objects: str = ""
    """Where servers share files: `s3://BUCKET/PREFIX`, `file:///FOLDER`; empty: in each one's data folder."""
    s3_endpoint: str = ""
    """Address of the store, as `https://minio.example:9000`; empty: that of AWS."""
    s3_region: str = ""
    """Region of the bucket; empty: what the environment says, else `us-east-1`."""

    audio_local_days: int = Field(default=0, ge=0)
    """Days that the sound of an ended call stays here although the store has it; 0: it goes at once."""

    @model_validator(mode="after")
    def _can_open_objects(self) -> "ObjectSettings":
        check_address(self.objects)
        if self.s3_endpoint:
            parts = urlsplit(self.s3_endpoint)
            if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
                raise ValueError(
                    "s3_endpoint must be an address with http:// or https://, without keys in it"
                )
        return self

    @property
    def audio_local_s(self) -> float:
        """The same in seconds."""
        return self.audio_local_days * 86_400.0

    def open_objects(self) -> Objects | None:
        """Open the store; nothing is asked of it yet. Raises `ObjectsAway`."""
        return open_objects(self.objects, endpoint=self.s3_endpoint, region=self.s3_region)
