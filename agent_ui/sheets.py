"""Lists as CSV files for people with Excel.

In: calls, rows. Out: cells; an answer that is a file, with a byte order mark so that Excel reads it as UTF-8.
Not known here: which calls are wanted, by whom.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from fastapi import Response

from calls.listing import WrapupLine
from calls.masking import Known, masked_phone, masked_text
from calls.types import Call

HEAD = ("编号", "开始", "时长（秒）", "状态", "来电", "坐席", "类型", "类别", "摘要")
_CALLER = HEAD.index("来电")
_STATES = {"live": "通话中", "lost": "断线", "interrupted": "中断", "ended": "已结束"}


def call_cells(call: Call, line: WrapupLine, zone: ZoneInfo) -> tuple[str, ...]:
    """One row of a list of calls."""
    return (
        call.call_id,
        f"{call.started_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
        f"{call.seconds:.0f}",
        _STATES[call.state],
        call.caller or "",
        call.operator_id or "",
        line.kind,
        line.category,
        line.summary,
    )


def masked_cells(cells: Sequence[str]) -> tuple[str, ...]:
    """The same row without what leads to a person."""
    caller = cells[_CALLER]
    known = Known(numbers=(caller,))
    hidden = [masked_text(cell, known) for cell in cells[_CALLER + 1 :]]
    return (*cells[:_CALLER], masked_phone(caller), *hidden)


def csv_answer(head: Sequence[str], rows: Iterable[Sequence[str]], *, name: str) -> Response:
    """A file to be saved."""
    text = io.StringIO()
    sheet = csv.writer(text)
    sheet.writerow(head)
    sheet.writerows([_harmless(cell) for cell in row] for row in rows)
    return Response(
        "\ufeff" + text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _harmless(cell: str) -> str:
    """Keep a spreadsheet from taking a text for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@") else cell
