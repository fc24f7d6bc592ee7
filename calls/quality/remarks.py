"""What becomes of a score when somebody says something of it.

In: a judged call and a remark. Out: the call afterwards; `BadRemark` where that cannot be said now.
Not known here: who may say it, where it is kept.
"""

from dataclasses import replace

from calls.quality.types import BadRemark, Judged, QualityState, RemarkKind

LONGEST = 1000
_AFTER = {
    RemarkKind.REVIEW: QualityState.REVIEWED,
    RemarkKind.APPEAL: QualityState.APPEALED,
    RemarkKind.ANSWER: QualityState.ANSWERED,
}


def after_remark(judged: Judged, kind: RemarkKind, *, text: str, score: float | None) -> Judged:
    """The call after the remark. Raises `BadRemark`."""
    if not text.strip():
        raise BadRemark("请写明理由。", code="quality.text_needed")
    if len(text) > LONGEST:
        raise BadRemark(f"最多写 {LONGEST} 字。", code="quality.text_too_long")
    if score is not None and not 0 <= score <= 100:
        raise BadRemark("分数应在 0 到 100 之间。", code="quality.bad_score")
    if kind is RemarkKind.APPEAL:
        if score is not None:
            raise BadRemark("申诉不能改分，请在理由里说明。", code="quality.bad_score")
        if judged.state is QualityState.APPEALED:
            raise BadRemark("已经申诉过，请等班长答复。", code="quality.already_appealed")
    if kind is RemarkKind.ANSWER and judged.state is not QualityState.APPEALED:
        raise BadRemark("没有等待答复的申诉。", code="quality.no_appeal")
    if kind is RemarkKind.REVIEW and judged.state is QualityState.APPEALED:
        raise BadRemark("坐席已申诉，请直接答复申诉。", code="quality.answer_first")
    return replace(judged, state=_AFTER[kind], score=judged.score if score is None else score)
