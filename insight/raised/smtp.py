"""Sends mails over SMTP, one connection for several, with or without STARTTLS or TLS.

In: the mail server's address and what it wants to be shown, mails. Out: what came of each.
Not known here: what is written, when it is tried again. It blocks.
"""

import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from typing import Literal

from insight.raised.mails import Mail

_TIMEOUT_S = 20.0
_NEVER = 500
"""Replies from here on say that trying again is of no use."""

_REASONS: Mapping[type[Exception], str] = {
    smtplib.SMTPNotSupportedError: "服务器不支持所设的加密或登录方式",
    smtplib.SMTPServerDisconnected: "服务器中断了连接：请检查加密方式（STARTTLS 或 TLS）和端口",
    ssl.SSLError: "加密连接失败：请检查加密方式（STARTTLS 或 TLS）和端口",
    TimeoutError: "连接超时",
    ConnectionRefusedError: "连接被拒绝：请检查地址和端口",
}
Security = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mails go."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = ""
    sender: str
    ca_file: str | None = None
    """Who vouches for its certificate, beside those whom the machine trusts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of one mail; empty `why`: it was taken."""

    mail: Mail
    why: str = ""
    is_final: bool = False


def send(server: MailServer, mails: Sequence[Mail]) -> Iterator[Outcome]:
    """Hand them over; where there is no connection none of them is tried further."""
    try:
        connection = _connected(server)
    except (OSError, smtplib.SMTPException) as error:
        yield from (Outcome(mail=mail, why=reason(error)) for mail in mails)
        return
    try:
        for mail in mails:
            yield _sent(connection, server, mail)
    finally:
        try:
            connection.quit()
        except (OSError, smtplib.SMTPException):
            connection.close()


def reason(error: Exception) -> str:
    """What went wrong, in a few words, without what was in the mail."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"登录被拒绝（{error.smtp_code}）：请检查用户名和密码"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"服务器答复 {error.smtp_code} {_text(error.smtp_error)}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"服务器证书不可信：{error.verify_message}"
    for kind, words in _REASONS.items():
        if isinstance(error, kind):
            return words
    return f"无法连接：{getattr(error, 'strerror', None) or type(error).__name__}"


def _connected(server: MailServer) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=server.ca_file)
    connection: smtplib.SMTP
    if server.security == "tls":
        connection = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=context)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)
    try:
        if server.security == "starttls":
            connection.starttls(context=context)
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _sent(connection: smtplib.SMTP, server: MailServer, mail: Mail) -> Outcome:
    message = EmailMessage()
    message["Subject"] = mail.subject
    message["From"] = server.sender
    message["To"] = mail.recipient
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = make_msgid(f"zhiting-{mail.mail_id}", domain=server.sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    try:
        connection.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        code, text = next(iter(error.recipients.values()))
        return Outcome(mail=mail, why=f"收件人被拒绝（{code}）{_text(text)}", is_final=code >= _NEVER)
    except smtplib.SMTPDataError as error:
        return Outcome(mail=mail, why=reason(error), is_final=error.smtp_code >= _NEVER)
    except (OSError, smtplib.SMTPException) as error:
        return Outcome(mail=mail, why=reason(error))
    return Outcome(mail=mail)


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return " ".join(text.split())[:120]
