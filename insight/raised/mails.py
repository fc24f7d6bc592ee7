"""Mails about warnings, kept until the mail server has taken them.

In: warnings with what happened to them, whom to write to; what came of attempts. Out: the mails that are
next, and how all of it fares. Not known here: SMTP. All of it blocks.

A mail is kept in the transaction that raises the warning. It is tried again, each time later, and given up
after `GIVE_UP_AFTER`, or at once where the server says that it will never take it; somebody may let it go
again. Where `MOST_WAITING` wait already no more are kept, and the log says so.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from calls.moments import stamp
from insight.raised.tables import mails as _mails
from insight.raised.types import RAISED, RaisedWarning, Step
from insight.raised.writing import Letter, letter_of
from knowledge_base.database import writing

MOST_WAITING = 5_000
KEPT_FOR = timedelta(days=30)
"""What was sent or given up is kept so long, to be seen."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=2)
_TEST = "test"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to one address."""

    mail_id: int
    warning_id: str
    recipient: str
    subject: str
    body: str
    at: datetime
    attempts: int
    next_try_at: datetime | None
    last_error: str
    sent_at: datetime | None
    gave_up_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStanding:
    """How mails fare."""

    waiting: int
    failing: int
    """Of those that wait: tried in vain."""
    given_up: int
    sent: int
    """Of the last `KEPT_FOR`."""
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressees:
    """Who is written to: everybody of a role of all warnings, a department of those that concern it."""

    everyone: Sequence[str] = ()
    by_department: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By identifier or name."""

    def of(self, warning: RaisedWarning) -> list[str]:
        """The addresses for a warning, each once."""
        concerned = [*warning.department_ids, *warning.departments]
        theirs = [one for name in concerned for one in self.by_department.get(name, ())]
        return list(dict.fromkeys([*self.everyone, *theirs]))


class MailStore:
    """Any thread may call it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def mails(self, *, limit: int = 100, offset: int = 0) -> list[Mail]:
        """Mails, newest first."""
        query = sa.select(_mails).order_by(_mails.c.mail_id.desc()).limit(limit).offset(offset)
        with self._engine.connect() as connection:
            return [_to_mail(row) for row in connection.execute(query)]

    def standing(self) -> MailStanding:
        """How they fare."""
        waits = sa.and_(_mails.c.sent_at.is_(None), _mails.c.gave_up_at.is_(None))
        newest = sa.select(_mails.c.last_error).where(_mails.c.last_error != "", _mails.c.sent_at.is_(None))
        with self._engine.connect() as connection:
            count = sa.select(
                sa.func.count().filter(waits).label("waiting"),
                sa.func.count().filter(waits, _mails.c.attempts > 0).label("failing"),
                sa.func.count().filter(_mails.c.gave_up_at.is_not(None)).label("given_up"),
                sa.func.count().filter(_mails.c.sent_at.is_not(None)).label("sent"),
            ).select_from(_mails)
            row = connection.execute(count).one()
            error = connection.scalar(newest.order_by(_mails.c.mail_id.desc()).limit(1))
        return MailStanding(
            waiting=row.waiting,
            failing=row.failing,
            given_up=row.given_up,
            sent=row.sent,
            last_error=error or "",
        )

    def due(self, now: datetime, *, limit: int = 20) -> list[Mail]:
        """Mails that may be tried now, oldest first."""
        is_time = sa.or_(_mails.c.next_try_at.is_(None), _mails.c.next_try_at <= stamp(now))
        query = sa.select(_mails).where(_mails.c.sent_at.is_(None), _mails.c.gave_up_at.is_(None), is_time)
        with self._engine.connect() as connection:
            return [
                _to_mail(row) for row in connection.execute(query.order_by(_mails.c.mail_id).limit(limit))
            ]

    def succeed(self, mail: Mail, *, now: datetime) -> None:
        """The server has taken it."""
        self._update(mail.mail_id, sent_at=stamp(now), last_error="", attempts=mail.attempts + 1)

    def fail(self, mail: Mail, why: str, *, is_final: bool, now: datetime) -> None:
        """It was not taken: try again later, or not at all."""
        attempts = mail.attempts + 1
        gives_up = is_final or now - mail.at >= GIVE_UP_AFTER
        self._update(
            mail.mail_id,
            attempts=attempts,
            last_error=why[:300],
            next_try_at=stamp(now + pause_after(attempts)),
            gave_up_at=stamp(now) if gives_up else None,
        )

    def retry(self, mail_id: int, *, now: datetime) -> bool:
        """Try it again at once, also where it was given up; False: no such mail that was not sent."""
        with writing(self._engine) as connection:
            mine = sa.and_(_mails.c.mail_id == mail_id, _mails.c.sent_at.is_(None))
            values = {"next_try_at": None, "gave_up_at": None, "at": stamp(now)}
            return connection.execute(_mails.update().where(mine).values(values)).rowcount > 0

    def test(self, recipient: str, *, now: datetime) -> int:
        """Write a mail that says nothing, to see whether it arrives; returns its number."""
        letter = Letter(subject="智听：测试邮件", body="这是一封测试邮件。收到它说明预警邮件可以送达。")
        with writing(self._engine) as connection:
            return _add(connection, _TEST, recipient, letter, now)

    def forget_old(self, now: datetime) -> None:
        """Let go of what is done with."""
        done = sa.or_(_mails.c.sent_at < stamp(now - KEPT_FOR), _mails.c.gave_up_at < stamp(now - KEPT_FOR))
        with writing(self._engine) as connection:
            connection.execute(_mails.delete().where(done))

    def _update(self, mail_id: int, **values: Any) -> None:
        with writing(self._engine) as connection:
            connection.execute(_mails.update().where(_mails.c.mail_id == mail_id).values(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterbox:
    """Keeps a mail for each who is concerned, in the transaction of whoever raises a warning."""

    to: Addressees
    link: str
    """The page of warnings, as people reach it; empty: mails tell no address."""
    zone: tzinfo

    def __call__(self, connection: Connection, warning: RaisedWarning, step: Step) -> None:
        """Nobody is written to of what is muted, and of what becomes of a warning."""
        recipients = self.to.of(warning) if step.action == RAISED and warning.is_pending else []
        if not recipients:
            return
        waits = sa.and_(_mails.c.sent_at.is_(None), _mails.c.gave_up_at.is_(None))
        held = connection.scalar(sa.select(sa.func.count()).select_from(_mails).where(waits)) or 0
        room = max(0, MOST_WAITING - held)
        if len(recipients) > room:
            log.error("%d mails wait already: of %s not everybody is told", held, warning.warning_id)
        letter = letter_of(warning, link=self.link, zone=self.zone)
        for recipient in recipients[:room]:
            _add(connection, warning.warning_id, recipient, letter, step.at)


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many attempts in vain."""
    doubled: int = 2 ** min(attempts - 1, 20)
    return min(LONGEST_PAUSE, FIRST_PAUSE * doubled)


def _add(connection: Connection, warning_id: str, recipient: str, letter: Letter, now: datetime) -> int:
    row = {
        "warning_id": warning_id,
        "recipient": recipient,
        "subject": letter.subject,
        "body": letter.body,
        "at": stamp(now),
        "attempts": 0,
        "last_error": "",
    }
    key = connection.execute(_mails.insert().values(row)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _to_mail(row: Any) -> Mail:
    values = {name: getattr(row, name) for name in Mail.__dataclass_fields__}
    for name in ("at", "next_try_at", "sent_at", "gave_up_at"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    return Mail(**values)
