"""What can be set about the mails that tell of warnings.

In: variables that begin with `ZHITING_`. Out: a part of `Settings`, checked.
Not known here: what mails say, who sends them.
"""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings

from insight.raised.smtp import MailServer, Security

_PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}


class MailSettings(BaseSettings):
    """Nobody gets mails, unless it is set otherwise."""

    mail_host: str = ""
    """Mail server that warnings are sent through; empty: no mails are sent."""
    mail_port: int = Field(default=0, ge=0, le=65535)
    """Its port; 0: 465 with TLS, 587 with STARTTLS, else 25."""
    mail_security: Security = "starttls"
    """How the way there is encrypted: `starttls`, `tls` from the beginning, or `none`."""
    mail_ca: Path | None = None
    """Certificates in PEM that vouch for the mail server; None: those that this machine trusts."""
    mail_user: str = ""
    """Name to sign in with at the mail server; empty: without signing in."""
    mail_password: SecretStr = SecretStr("")
    """And its password."""
    mail_from: str = ""
    """Address from which mails are sent."""
    mail_to: dict[str, list[str]] = {}
    """Who gets mails of warnings: addresses by role, identifier or name of a department."""
    address: str = ""
    """Address at which people find this server, as `https://12345.example.gov.cn`, for links in mails."""

    @model_validator(mode="after")
    def _can_write_mails(self) -> "MailSettings":
        if self.mail_host and not is_mailbox(self.mail_from):
            raise ValueError("mail_host needs mail_from, an address such as alerts@example.gov.cn")
        if wrong := [one for all_ in self.mail_to.values() for one in all_ if not is_mailbox(one)]:
            raise ValueError(f"mail_to: {wrong[0][:60]!r} is no mail address")
        if self.address and urlsplit(self.address).scheme not in ("http", "https"):
            raise ValueError("address must begin with http:// or https://")
        return self

    @property
    def mail_server(self) -> MailServer | None:
        """Where mails go; None: none are sent."""
        if not self.mail_host:
            return None
        return MailServer(
            host=self.mail_host,
            port=self.mail_port or _PORTS[self.mail_security],
            security=self.mail_security,
            user=self.mail_user,
            password=self.mail_password.get_secret_value(),
            sender=self.mail_from,
            ca_file=str(self.mail_ca) if self.mail_ca is not None else None,
        )


def is_mailbox(text: str) -> bool:
    """Whether it may be a mail address; nothing that would be another header."""
    name, _, domain = text.rpartition("@")
    return bool(name and domain) and text.isprintable() and not any(sign in text for sign in " <>,;")
