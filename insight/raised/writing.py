"""A warning as a letter. Pure.

In: a warning, where it can be seen. Out: subject and body in Chinese.
Not known here: who gets it, how it is sent.
"""

from dataclasses import dataclass
from datetime import tzinfo

from insight.raised.types import RaisedWarning
from insight.raised.wording import explanation_of, title_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is written."""

    subject: str
    body: str


def letter_of(warning: RaisedWarning, *, link: str, zone: tzinfo) -> Letter:
    """What is written of a warning that was just raised; `link` empty: no address is told."""
    lines = [title_of(warning), "", explanation_of(warning, zone)]
    if warning.departments:
        lines.append(f"涉及部门：{'、'.join(warning.departments)}")
    if warning.category and warning.category != warning.name:
        lines.append(f"分类：{warning.category}")
    lines.append(f"预警编号：{warning.warning_id}")
    if link:
        lines += ["", f"查看和处理：{link}#{warning.warning_id}"]
    lines += ["", "本邮件由智听自动发出，不含来电人信息，请勿直接回复。"]
    return Letter(subject=f"【预警】{title_of(warning)}", body="\n".join(lines))
