"""Which files may belong to an order, by their ending and what they begin with. Pure.

In: a name, the first bytes. Out: the media type, or None.
Not known here: where files lie.

A file must be what its ending says, as far as its beginning tells: a page of a web site that is called
照片.jpg is not taken.
"""

from pathlib import PurePosixPath

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_BEGINS: dict[str, tuple[str, tuple[bytes, ...], int]] = {
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",), 0),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",), 0),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",), 0),
    ".gif": ("image/gif", (b"GIF87a", b"GIF89a"), 0),
    ".webp": ("image/webp", (b"WEBP",), 8),
    ".pdf": ("application/pdf", (b"%PDF-",), 0),
    ".doc": ("application/msword", (_OLE,), 0),
    ".xls": ("application/vnd.ms-excel", (_OLE,), 0),
    ".docx": (f"{_OFFICE}wordprocessingml.document", (_ZIP,), 0),
    ".xlsx": (f"{_OFFICE}spreadsheetml.sheet", (_ZIP,), 0),
    ".wav": ("audio/wav", (b"WAVE",), 8),
    ".mp3": ("audio/mpeg", (b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa"), 0),
    ".amr": ("audio/amr", (b"#!AMR",), 0),
    ".m4a": ("audio/mp4", (b"ftyp",), 4),
    ".mp4": ("video/mp4", (b"ftyp",), 4),
}
_TEXTS = {".txt": "text/plain; charset=utf-8", ".csv": "text/csv; charset=utf-8"}
PICTURES = ("image/jpeg", "image/png", "image/gif", "image/webp")
"""What a browser may show in the page."""


def media_of(name: str, head: bytes) -> str | None:
    """The media type of a file that may belong to an order."""
    ending = PurePosixPath(name).suffix.lower()
    if ending in _TEXTS:
        return _TEXTS[ending] if head and b"\0" not in head else None
    if ending not in _BEGINS:
        return None
    media, beginnings, place = _BEGINS[ending]
    return media if any(head[place:].startswith(one) for one in beginnings) else None


def media_by_name(name: str) -> str:
    """The media type of a file that was taken once."""
    ending = PurePosixPath(name).suffix.lower()
    return _TEXTS.get(ending) or _BEGINS.get(ending, ("application/octet-stream",))[0]
