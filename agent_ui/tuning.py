"""What an admin may set while calls run: the settings, their ranges, and what they are called.

In: the settings of the environment, and wished values by name.
Out: a `Tuning`, checked, also as the options of those who go by it; a sentence where a value cannot be.
Not known here: where it is kept, when somebody reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

from agent_ui.settings import Settings
from agent_ui.terms_text import MAX_CHARACTERS, MAX_DAYS, read_terms, write_terms
from asr.pool_options import Limits
from calls.admission import SwitchboardOptions
from calls.keeping.types import Policy, Term
from insight.reports.schedule import Plan
from retrieval.advisor import AdvisorOptions

Value: TypeAlias = bool | int | float | str


Group: TypeAlias = Literal["cards", "calls", "ears", "knowledge", "keeping", "reports"]
KnobKind: TypeAlias = Literal["number", "whole", "switch", "terms"]
Effect: TypeAlias = Literal["now", "next_call", "tonight"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """One value for each setting; whoever needs one reads it at the moment of need."""

    enter_score: float
    """How probable it must be that an article helps, for a card of it."""
    replace_margin: float
    """How far a match must be above a shown card that gives its place to it."""
    least_s: float
    """Seconds for which a card is left alone, time to read it."""
    max_calls: int
    """Calls running at once; more are refused."""
    lost_after_s: float
    """Seconds that a call stays open after its line vanished."""
    min_free_mb: int
    """Free disk space, in megabytes, below which no new call is admitted."""
    keep_fillers: bool
    """Whether hesitations such as 嗯 stay in the text."""
    beam_size: int
    """Hypotheses followed when a final is recognised."""
    kb_review: bool
    """Whether a second person must approve an article before it is published."""
    report_day: bool
    """Whether a report of each day is made by itself."""
    report_week: bool
    report_month: bool
    report_hour: int
    """From which hour of the next day on they are made."""
    report_keep_days: int
    """Days after which reports are deleted; 0 keeps them."""
    audio_days: int
    """Days after a call's end at which its sound is deleted; 0 keeps it."""
    transcript_days: int
    """Days after a call's end at which all of it is deleted; 0 keeps it."""
    days_by_kind: str
    """Other days for calls of some kinds, as a line of `terms_text`."""

    @property
    def of_cards(self) -> AdvisorOptions:
        """What a card takes; the best match and one beside it need the same."""
        return AdvisorOptions(
            enter_score=self.enter_score,
            beside_score=self.enter_score,
            replace_margin=self.replace_margin,
            least_s=self.least_s,
        )

    @property
    def of_ears(self) -> Limits:
        """What the ears take on."""
        return Limits(max_calls=self.max_calls, final_beam=self.beam_size)

    @property
    def of_reports(self) -> Plan:
        """Which reports are made by themselves."""
        return Plan(
            day=self.report_day,
            week=self.report_week,
            month=self.report_month,
            hour=self.report_hour,
            keep_days=self.report_keep_days,
        )

    @property
    def of_keeping(self) -> Policy:
        """How long calls are kept."""
        return Policy(
            usual=Term(audio_days=self.audio_days, transcript_days=self.transcript_days),
            by_kind=read_terms(self.days_by_kind),
        )

    def of_calls(self, settings: Settings) -> SwitchboardOptions:
        """How calls are let in, with what the environment alone says."""
        return SwitchboardOptions(
            max_calls=self.max_calls,
            lost_after_s=self.lost_after_s,
            resumable_s=settings.resumable_s,
            min_free_bytes=self.min_free_mb * 1_000_000,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """What is known of one setting beside its value."""

    name: str
    words: str
    """Its name for people."""
    group: Group
    kind: KnobKind
    effect: Effect
    least: float | None = None
    most: float | None = None
    step: float | None = None
    """A hint for a control; values between are taken."""
    unit: Literal["", "s", "MB", "calls", "days"] = ""

    def range_with(self, default: Value) -> tuple[float, float] | None:
        """(least, most), so wide that what the environment says is within; None for what is no number."""
        if self.least is None or self.most is None or isinstance(default, str):
            return None
        return min(self.least, default), max(self.most, default)


KNOBS = (
    Knob(
        name="enter_score",
        words="推荐卡片的把握",
        group="cards",
        kind="number",
        effect="next_call",
        least=0.1,
        most=0.9,
        step=0.05,
    ),
    Knob(
        name="replace_margin",
        words="换卡片要高出的把握",
        group="cards",
        kind="number",
        effect="next_call",
        least=0.0,
        most=0.5,
        step=0.05,
    ),
    Knob(
        name="least_s",
        words="卡片至少停留的时间",
        group="cards",
        kind="number",
        effect="next_call",
        least=0,
        most=60,
        step=1,
        unit="s",
    ),
    Knob(
        name="max_calls",
        words="同时通话的上限",
        group="calls",
        kind="whole",
        effect="now",
        least=1,
        most=500,
        step=1,
        unit="calls",
    ),
    Knob(
        name="lost_after_s",
        words="断线后保留通话的时间",
        group="calls",
        kind="number",
        effect="now",
        least=0,
        most=600,
        step=5,
        unit="s",
    ),
    Knob(
        name="min_free_mb",
        words="接入新通话所需的磁盘空间",
        group="calls",
        kind="whole",
        effect="now",
        least=0,
        most=100_000,
        step=100,
        unit="MB",
    ),
    Knob(name="keep_fillers", words="保留语气词", group="ears", kind="switch", effect="next_call"),
    Knob(
        name="beam_size",
        words="识别的细致程度",
        group="ears",
        kind="whole",
        effect="now",
        least=1,
        most=10,
        step=1,
    ),
    Knob(name="kb_review", words="知识须由他人审核", group="knowledge", kind="switch", effect="now"),
    Knob(
        name="audio_days",
        words="录音保存的天数",
        group="keeping",
        kind="whole",
        effect="tonight",
        least=0,
        most=MAX_DAYS,
        step=1,
        unit="days",
    ),
    Knob(
        name="transcript_days",
        words="通话保存的天数",
        group="keeping",
        kind="whole",
        effect="tonight",
        least=0,
        most=MAX_DAYS,
        step=1,
        unit="days",
    ),
    Knob(name="days_by_kind", words="另有期限的诉求类型", group="keeping", kind="terms", effect="tonight"),
    Knob(name="report_day", words="自动生成日报", group="reports", kind="switch", effect="now"),
    Knob(name="report_week", words="自动生成周报", group="reports", kind="switch", effect="now"),
    Knob(name="report_month", words="自动生成月报", group="reports", kind="switch", effect="now"),
    Knob(
        name="report_hour",
        words="几点以后生成报表",
        group="reports",
        kind="whole",
        effect="now",
        least=0,
        most=23,
        step=1,
    ),
    Knob(
        name="report_keep_days",
        words="报表保留的天数",
        group="reports",
        kind="whole",
        effect="now",
        least=0,
        most=3650,
        step=1,
        unit="days",
    ),
)
"""In the order in which they are shown."""
_KNOB_OF = {knob.name: knob for knob in KNOBS}
_UNITS = {"": " ", "s": " 秒", "MB": " MB", "calls": " 路", "days": " 天"}


class BadSetting(Exception):
    """A setting cannot have that value; the message says which it can have."""

    code = "system.bad_setting"

    def __init__(self, message: str):
        super().__init__(message)
        self.message = message


def defaults_of(settings: Settings) -> Tuning:
    """What holds as long as nobody has set anything: the environment's word, or the code's."""
    cards = AdvisorOptions()
    return Tuning(
        enter_score=cards.enter_score,
        replace_margin=cards.replace_margin,
        least_s=cards.least_s,
        max_calls=settings.calls_at_once,
        lost_after_s=settings.lost_after_s,
        min_free_mb=settings.min_free_mb,
        keep_fillers=settings.keep_fillers,
        beam_size=settings.beam_size,
        kb_review=settings.kb_review,
        report_day=settings.report_day,
        report_week=settings.report_week,
        report_month=settings.report_month,
        report_hour=settings.report_hour,
        report_keep_days=settings.report_keep_days,
        audio_days=settings.audio_days,
        transcript_days=settings.transcript_days,
        days_by_kind=write_terms(settings.retention().by_kind),
    )


def tuned(defaults: Tuning, wished: Mapping[str, Value]) -> Tuning:
    """The defaults with what was wished in their place; raises `BadSetting`."""
    values: dict[str, Any] = {name: checked(name, value, defaults) for name, value in wished.items()}
    return replace(defaults, **values)


def checked(name: str, value: object, defaults: Tuning) -> Value:
    """The value as the setting holds it; raises `BadSetting`."""
    knob = _KNOB_OF.get(name)
    if knob is None:
        raise BadSetting(f"没有名为「{name[:40]}」的设置。")
    if knob.kind == "terms":
        return _checked_terms(knob, value)
    span = knob.range_with(getattr(defaults, name))
    if span is None:
        if not isinstance(value, bool):
            raise BadSetting(f"「{knob.words}」只能是开或关。")
        return value
    least, most = span
    is_whole = knob.kind == "whole"
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not least <= value <= most
        or (is_whole and value != int(value))
    ):
        what = "整数" if is_whole else "数"
        raise BadSetting(
            f"「{knob.words}」须是 {_shown(least)} 到 {_shown(most)}{_UNITS[knob.unit]}之间的{what}。"
        )
    return int(value) if is_whole else float(value)


def _checked_terms(knob: Knob, value: object) -> str:
    how = "请写成“举报 1825/3650；咨询 30/90”：类型、录音天数/整通天数，0 为一直保存"
    if not isinstance(value, str) or len(value) > MAX_CHARACTERS:
        raise BadSetting(f"「{knob.words}」填得不对，{how}。")
    try:
        return write_terms(read_terms(value))
    except ValueError as error:
        raise BadSetting(f"「{knob.words}」里的“{str(error)[:40]}”读不懂，或与另一处重复，{how}。") from None


def differences(before: Tuning, now: Tuning) -> str:
    """What changed, for the audit log: `max_calls 16→20`; empty where nothing did."""
    pairs = ((field.name, getattr(before, field.name), getattr(now, field.name)) for field in fields(Tuning))
    return "，".join(f"{name} {_shown(old)}→{_shown(new)}" for name, old, new in pairs if old != new)


def _shown(value: Value) -> str:
    if isinstance(value, str):
        return f"“{value}”"
    if isinstance(value, bool):
        return "开" if value else "关"
    return str(int(value)) if value == int(value) else f"{value:g}"
