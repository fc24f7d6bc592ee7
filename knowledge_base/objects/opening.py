"""Opens the place of shared files that the settings name.

In: an address. Out: `Objects`, or None where files stay in the data folder. Raises `BadAddress`.
Not known here: settings, what the files are.
"""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from knowledge_base.objects.folder import FolderObjects
from knowledge_base.objects.types import Objects, ObjectsAway


class BadAddress(ValueError):
    """Not the address of a place for objects."""


def check_address(address: str) -> None:
    """Raise `BadAddress` where nothing can be opened there."""
    if not address:
        return
    parts = urlsplit(address)
    is_folder = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
    if not is_folder and not (parts.scheme == "s3" and parts.netloc):
        raise BadAddress("objects must be empty, s3://BUCKET/PREFIX, or file:///FOLDER")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise BadAddress("objects holds a bucket and a prefix, and no keys: those come from the environment")


def folder_of(address: str) -> Path | None:
    """The folder of such an address; None where it is no folder's."""
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None


def open_objects(address: str, *, endpoint: str = "", region: str = "") -> Objects | None:
    """Open it; nothing is asked of it yet. Raises `BadAddress`, `ObjectsAway`."""
    check_address(address)
    if not address:
        return None
    parts = urlsplit(address)
    if (folder := folder_of(address)) is not None:
        return FolderObjects(folder)
    try:
        from botocore.exceptions import BotoCoreError

        from knowledge_base.objects.s3 import S3Objects
    except ModuleNotFoundError as error:
        raise ObjectsAway(f"缺少程序包 {error.name}，请运行 pip install 'zhiting[s3]'") from error
    try:
        return S3Objects(parts.netloc, parts.path, endpoint=endpoint, region=region)
    except (BotoCoreError, ValueError) as error:
        raise ObjectsAway(type(error).__name__) from error
