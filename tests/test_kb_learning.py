"""Learning from use: what the journal tells of articles and of questions that found nothing good."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import Engine

from asr.types import Party, Segment
from calls.journal import Journal
from calls.types import (
    CallEnded,
    CallStarted,
    EndReason,
    Fact,
    SegmentCorrected,
    SegmentShown,
    Stream,
    SuggestionMarked,
    SuggestionShown,
)
from calls.usage import Missed, Usage, WhyMissed
from knowledge_base.duplicates import Shared, find_duplicates
from knowledge_base.feedback import Feedback
from knowledge_base.store import ArticleStore
from knowledge_base.types import ArticleState, BadArticle
from retrieval.gaps import asked_in, group, usual_vector
from retrieval.types import Mark
from tests.call_parts import START, call, segment, suggestion
from tests.retrieval_parts import ARTICLES, PairEmbedder, article


async def happen(engine: Engine, call_id: str, *facts: Fact, minutes: int = 0) -> None:
    """A call from start to end with these facts in between."""
    journal = Journal(engine, lambda entries: None)
    journal.start()
    ended = CallEnded(reason=EndReason.HANGUP, seconds=60.0)
    for second, fact in enumerate((CallStarted(call=call(call_id)), *facts, ended)):
        at = START + timedelta(minutes=minutes, seconds=second)
        await journal.append(fact, call_id=call_id, streams=[Stream.call(call_id)], at=at)
    await journal.stop()


def said(number: int, text: str, *, party: Party = Party.CITIZEN) -> SegmentShown:
    return SegmentShown(segment=segment(number, text, party=party, end_s=float(number)))


def shown(*article_ids: str, suggestion_id: str = "s-1") -> SuggestionShown:
    return SuggestionShown(suggestion=suggestion(*article_ids, suggestion_id=suggestion_id))


def marked(article_id: str, mark: Mark, suggestion_id: str = "s-1") -> SuggestionMarked:
    return SuggestionMarked(suggestion_id=suggestion_id, article_id=article_id, mark=mark)


def every_citizen(_: str, segments: Sequence[Segment]) -> list[str]:
    return [segment.segment_id for segment in segments if segment.party is Party.CITIZEN]


def missed(engine: Engine) -> list[Missed]:
    return list(Usage(engine).missed(since=START - timedelta(days=1), asked_in=every_citizen))


async def test_articles_are_counted_by_what_became_of_their_cards(engine: Engine) -> None:
    await happen(engine, "c-0", shown("A1"), minutes=-2000)
    await happen(engine, "c-1", shown("A1", "A2"), marked("A1", Mark.USED), marked("A2", Mark.WRONG))
    await happen(engine, "c-2", shown("A1"), marked("A1", Mark.COPIED), marked("A1", Mark.HELPFUL), minutes=9)
    counts = Usage(engine).articles(since=START - timedelta(hours=1))
    assert set(counts) == {"A1", "A2"}
    assert (counts["A1"].shown, counts["A1"].used, counts["A1"].helpful) == (2, 2, 1)
    assert counts["A1"].last_shown_at == START + timedelta(minutes=9, seconds=1)
    assert (counts["A2"].shown, counts["A2"].wrong) == (1, 1)


async def test_questions_of_a_call_without_cards_are_missed(engine: Engine) -> None:
    operator = said(2, "请您稍等我查一下", party=Party.OPERATOR)
    await happen(engine, "c-1", said(1, "无人机在哪里登记备案"), operator, said(3, "嗯好的"))
    assert [(one.question, one.why) for one in missed(engine)] == [
        ("无人机在哪里登记备案", WhyMissed.NO_CARD)
    ]


async def test_a_corrected_line_counts_as_it_was_corrected(engine: Engine) -> None:
    right = SegmentCorrected(segment=segment(1, "无人机在哪里登记备案"))
    await happen(engine, "c-1", said(1, "无人鸡在哪里登记被按"), right)
    assert [one.question for one in missed(engine)] == ["无人机在哪里登记备案"]


async def test_cards_that_were_all_turned_down_are_a_miss_and_a_used_one_is_none(engine: Engine) -> None:
    question = said(1, "无人机在哪里登记备案")
    await happen(engine, "c-1", question, shown("A1"), marked("A1", Mark.WRONG))
    await happen(engine, "c-2", question, shown("A1", "A2"), marked("A1", Mark.DISMISSED))
    await happen(engine, "c-3", question, shown("A1"), marked("A1", Mark.WRONG), marked("A1", Mark.USED))
    await happen(engine, "c-4", question, shown("A1"))
    assert [(one.call_id, one.why) for one in missed(engine)] == [("c-1", WhyMissed.WRONG_CARD)]


def test_only_what_was_asked_counts() -> None:
    segments = [segment(1, "喂，你好", end_s=1), segment(2, "我想问一下路灯坏了找谁修", end_s=4)]
    assert asked_in("c-1", segments) == ("citizen-2",)


def test_like_questions_come_together_the_largest_group_first() -> None:
    texts = ["无人机在哪里登记", "楼下路灯坏了", "无人机登记备案在哪里", "路灯坏了楼下", "无人机登记在哪里"]
    embed = PairEmbedder().embed_query
    vectors = np.array([embed(text) for text in texts])
    usual = usual_vector(embed, [a.title for a in ARTICLES])
    first, second = group(vectors, usual=usual)
    assert (set(first.places), set(second.places)) == ({0, 2, 4}, {1, 3})
    assert group(np.zeros((0, 64), np.float32), usual=usual) == ()


async def test_a_missed_question_becomes_a_similar_question(engine: Engine) -> None:
    store, feedback = ArticleStore(engine), Feedback(engine)
    store.upsert(ARTICLES, now=START)
    add = {"author": "小王", "now": START, "state": ArticleState.APPROVED}
    kept = store.add_questions("A1", ["灯不亮喊谁", "楼下马路的路灯坏了", " "], **add)  # type: ignore[arg-type]
    assert kept.article.questions == (*ARTICLES[0].questions, "灯不亮喊谁")
    assert kept.approved_revision == 2
    feedback.settle(["灯不亮喊谁"], article_id="A1", author="小王", now=START)
    feedback.settle(["灯不亮喊谁", "骚扰电话"], article_id=None, author="小王", now=START)
    assert feedback.settled() == {"灯不亮喊谁", "骚扰电话"}
    with pytest.raises(BadArticle, match="最多 200"):
        store.add_questions("A1", [f"问{i}" for i in range(300)], **add)  # type: ignore[arg-type]


async def test_a_question_for_a_draft_does_not_publish_the_draft(engine: Engine) -> None:
    store = ArticleStore(engine)
    store.upsert(ARTICLES, now=START)
    store.save(article("A1", body="没写完"), author="小李", now=START, state=ArticleState.DRAFT)
    kept = store.add_questions("A1", ["灯不亮喊谁"], author="小王", now=START, state=ArticleState.APPROVED)
    assert (kept.state, kept.approved_revision) == (ArticleState.DRAFT, 1)


def test_repetitions_are_told_by_what_is_shared() -> None:
    long = "每周一至周五上午八点半到十一点半，下午一点半到五点，可以到政务服务中心一楼窗口办理，带上身份证。"
    articles = [
        article("A1", "路灯不亮怎么报修", body="甲", questions=("灯坏了！",)),
        article("A2", "路灯不亮， 怎么报修？", body="乙", questions=()),
        article("A3", "路灯不亮了怎么报修", body="丙", questions=()),
        article("A4", "井盖没了", body="丁", questions=("灯坏了",)),
        article("A5", "身份证补办", body=long, questions=()),
        article("A6", "户口迁移", body=long.replace("五点", "五点半"), questions=()),
        article("A7", "社保转移", body="戊", questions=()),
    ]
    found = {(pair.article_id, pair.other_id): pair.shared for pair in find_duplicates(articles)}
    assert found == {
        ("A1", "A2"): Shared.TITLE,
        ("A1", "A3"): Shared.NEAR_TITLE,
        ("A2", "A3"): Shared.NEAR_TITLE,
        ("A1", "A4"): Shared.QUESTION,
        ("A5", "A6"): Shared.NEAR_BODY,
    }
    (pair,) = find_duplicates(articles[3:4], articles[:1])
    assert (pair.shared, pair.text) == (Shared.QUESTION, "灯坏了")
