"""Mails about warnings, taken by a real mail server on this machine."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import Engine

from agent_ui.settings import Settings
from insight.raised.mails import GIVE_UP_AFTER, Addressees, Letterbox, MailStore, pause_after
from insight.raised.posting import send_due
from insight.raised.smtp import MailServer, Security
from insight.raised.store import WarningStore
from insight.raised.types import WarningState
from tests.raised_parts import NOON, ZONE
from tests.test_raised_deeds import warning_of

BOX = Letterbox(
    to=Addressees(
        everyone=("zhiban@example.cn",), by_department={"SW": ("shuiwu@example.cn",), "ZJ": ("x@y.cn",)}
    ),
    link="https://12345.example.cn/warnings",
    zone=ZONE,
)


@dataclass
class Taker:
    """What a mail server does with mails: takes them, or answers something else."""

    answer: str = "250 OK"
    refuses: tuple[str, ...] = ()
    got: list[Envelope] = field(default_factory=list)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuses:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("250"):
            self.got.append(envelope)
        return self.answer


@asynccontextmanager
async def mail_server(
    taker: Taker, *, tls: ssl.SSLContext | None = None, **options: Any
) -> AsyncIterator[int]:
    """`tls`: spoken from the beginning."""

    def speak() -> SMTP:
        return SMTP(taker, hostname="mail.example.cn", **options)

    server = await asyncio.get_running_loop().create_server(speak, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def send(mails: MailStore, server: MailServer, at: datetime = NOON) -> int:
    return await asyncio.to_thread(send_due, mails, server, lambda: at)


def server_at(port: int, security: Security = "none", **more: str) -> MailServer:
    return MailServer(host="127.0.0.1", port=port, security=security, sender="zhiting@example.cn", **more)


def raised(engine: Engine) -> MailStore:
    WarningStore(engine, BOX).add(warning_of(), author="系统", day="20260610")
    return MailStore(engine)


async def test_everybody_concerned_gets_a_mail_that_names_no_citizen(engine: Engine) -> None:
    mails, taker = raised(engine), Taker()
    async with mail_server(taker) as port:
        assert await send(mails, server_at(port), NOON) == 2
    assert {one.rcpt_tos[0] for one in taker.got} == {"zhiban@example.cn", "shuiwu@example.cn"}
    content = taker.got[0].content
    assert isinstance(content, bytes)
    message = message_from_bytes(content, policy=policy.default)
    assert message["Subject"] == "【预警】普陀区：停水"
    assert message["From"] == "zhiting@example.cn"
    assert message["Auto-Submitted"] == "auto-generated"
    body = message.get_content()
    assert "12 人反映，平时同样时段约 1.3 人" in body
    assert "https://12345.example.cn/warnings#Y20260610-0001" in body
    standing = mails.standing()
    assert (standing.waiting, standing.sent, standing.last_error) == (0, 2, "")


def test_nobody_is_written_to_of_what_is_muted_or_only_changed(engine: Engine) -> None:
    from dataclasses import replace

    store = WarningStore(engine, BOX)
    muted = replace(warning_of(), state=WarningState.MUTED, muted_until=NOON + timedelta(hours=1))
    store.add(muted, author="系统", day="20260610")
    assert MailStore(engine).mails() == []


async def test_a_server_that_is_down_gets_it_later_and_why_is_seen(engine: Engine) -> None:
    mails, taker = raised(engine), Taker()
    async with mail_server(taker) as port:
        pass  # and is gone
    assert await send(mails, server_at(port), NOON) == 0
    standing = mails.standing()
    assert (standing.waiting, standing.failing) == (2, 2)
    assert standing.last_error == "连接被拒绝：请检查地址和端口"
    soon = NOON + timedelta(seconds=29)
    assert mails.due(soon) == []
    later = NOON + timedelta(seconds=31)
    async with mail_server(taker) as port:
        assert await send(mails, server_at(port), later) == 2
    assert mails.standing().last_error == ""


async def test_what_the_server_will_never_take_is_given_up_and_may_be_tried_again(engine: Engine) -> None:
    mails, taker = raised(engine), Taker(refuses=("shuiwu@example.cn",))
    async with mail_server(taker) as port:
        assert await send(mails, server_at(port), NOON) == 1
        (refused,) = [one for one in mails.mails() if one.sent_at is None]
        assert refused.gave_up_at == NOON
        assert refused.last_error == "收件人被拒绝（550）no such mailbox"
        assert mails.due(NOON + timedelta(days=1)) == []
        assert mails.retry(refused.mail_id, now=NOON)
        taker.refuses = ()
        assert await send(mails, server_at(port), NOON) == 1
    assert not mails.retry(refused.mail_id, now=NOON)


async def test_a_busy_server_is_asked_again_until_it_is_given_up(engine: Engine) -> None:
    mails, taker = raised(engine), Taker(answer="451 try later")
    async with mail_server(taker) as port:
        await send(mails, server_at(port), NOON)
        assert mails.standing().failing == 2
        assert mails.standing().last_error == "服务器答复 451 try later"
        late = NOON + GIVE_UP_AFTER
        await send(mails, server_at(port), late)
    standing = mails.standing()
    assert (standing.waiting, standing.given_up) == (0, 2)
    assert [pause_after(n).total_seconds() for n in (1, 2, 3, 20)] == [30, 60, 120, 3600]


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_the_way_is_encrypted_and_the_password_shown_to_nobody_else(
    engine: Engine, tmp_path: Path, security: Security
) -> None:
    certificate = certified(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    mails, taker = raised(engine), Taker()

    def check(*args: object) -> AuthResult:
        shown = args[-1]
        assert isinstance(shown, LoginPassword)
        return AuthResult(success=shown.password == b"geheim-123", handled=False)

    is_later = security == "starttls"
    options: dict[str, Any] = {
        "authenticator": check,
        "auth_required": is_later,
        "auth_require_tls": is_later,
    }
    options |= {"tls_context": context} if is_later else {"tls": context}
    async with mail_server(taker, **options) as port:
        login = {"user": "zhiting", "ca_file": str(certificate)}
        assert await send(mails, server_at(port, security, password="wrong", **login), NOON) == 0
        assert mails.standing().last_error == "登录被拒绝（535）：请检查用户名和密码"
        untrusted = server_at(port, security, user="zhiting", password="geheim-123")
        later = NOON + timedelta(minutes=2)
        assert await send(mails, untrusted, later) == 0
        assert mails.standing().last_error.startswith("服务器证书不可信")
        latest = NOON + timedelta(minutes=9)
        assert await send(mails, server_at(port, security, password="geheim-123", **login), latest) == 2


async def test_a_server_without_encryption_is_not_spoken_to_where_that_is_wanted(engine: Engine) -> None:
    mails, taker = raised(engine), Taker()
    async with mail_server(taker) as port:
        assert await send(mails, server_at(port, "starttls"), NOON) == 0
    assert taker.got == []
    assert mails.standing().last_error == "服务器不支持所设的加密或登录方式"


def test_settings_say_where_mails_go_and_what_cannot_be() -> None:
    def settings(**more: object) -> Settings:
        return Settings(_env_file=None, **more)  # type: ignore[call-arg, arg-type]

    assert settings().mail_server is None
    server = settings(mail_host="mail.example.cn", mail_from="a@example.cn", mail_security="tls").mail_server
    assert server is not None
    assert (server.port, server.security) == (465, "tls")
    to = {"supervisor": ["a@b.cn"], "SZ04": ["c@d.cn"]}
    box = settings(mail_host="m", mail_from="a@b.cn", mail_to=to, address="https://x.cn/").letterbox
    assert (box.to.everyone, box.to.by_department) == (["a@b.cn"], {"SZ04": ["c@d.cn"]})
    assert box.link == "https://x.cn/warnings"
    for wrong in (
        {"mail_host": "m"},
        {"mail_to": {"admin": ["nobody"]}},
        {"mail_to": {"admin": ["a@b\nc: d"]}},
    ):
        with pytest.raises(ValueError, match="mail"):
            settings(**wrong)


def certified(folder: Path) -> Path:
    """A key and a certificate that vouches for itself, for 127.0.0.1."""
    from ipaddress import ip_address

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return file
