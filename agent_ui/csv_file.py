"""A list as a CSV that a spreadsheet opens by a double click.

In: names of columns, rows of texts. Out: bytes in UTF-8 with a byte order mark.
Not known here: what the rows are.
"""

import csv
import io
from collections.abc import Iterable, Sequence


def csv_file(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Write a list; no cell is taken for a formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_harmless(str(cell)) for cell in row])
    return ("\ufeff" + text.getvalue()).encode()


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
