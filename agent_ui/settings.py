"""What can be set, from the environment or a file `.env`.

In: variables that begin with `ZHITING_`. Out: `Settings`, checked.
Not known here: who uses which of them.
"""

import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from access.types import Role
from agent_ui.ear_settings import EarSettings
from agent_ui.mail_settings import MailSettings
from agent_ui.object_settings import ObjectSettings
from agent_ui.origins import is_loopback
from agent_ui.rate_settings import RateSettings
from agent_ui.telephony_settings import CARRIERS_BY_PORT, TelephonySettings
from agent_ui.terms_text import may_be_kind
from agent_ui.tls_settings import TlsSettings
from agent_ui.watch_settings import WatchSettings
from asr.pool_options import LISTENED_CALLS, chosen_calls
from calls.audio.keys import BadKeys, read_keys
from calls.audio.types import Form
from calls.ingest.carriers import CARRIERS
from calls.ingest.rules import CarrierRules
from calls.keeping.types import Policy, Term
from calls.wrapup.llm.options import EndpointOptions
from insight.raised.mails import Addressees, Letterbox
from knowledge_base.objects.opening import folder_of

LOCAL_KEY = ".local-key"
"""File in the data folder from which this machine's own commands take their token."""

DATABASES = ("postgresql", "postgres")


BUSES = ("redis", "rediss", "unix")
"""What the address of a bus may begin with."""


class Days(BaseModel):
    """How long calls of one kind are kept; 0 is for ever."""

    audio_days: int = Field(default=0, ge=0)
    transcript_days: int = Field(default=0, ge=0)


class Settings(
    TelephonySettings,
    EarSettings,
    MailSettings,
    ObjectSettings,
    RateSettings,
    TlsSettings,
    WatchSettings,
    BaseSettings,
):
    """Everything that can be set; each field is `ZHITING_` + its name in the environment."""

    model_config = SettingsConfigDict(env_prefix="ZHITING_", env_file=".env", extra="ignore")

    data_dir: Path = Path("var")
    """One place for all data: database, knowledge base versions, audio, weights."""
    database_url: str = Field(default="", repr=False)
    """PostgreSQL, as postgresql://user:password@host/name; empty: SQLite in the data folder."""
    bus: str = Field(default="", repr=False)
    """How several processes hear of each other: a `redis://` address or `database`; empty: there is one."""
    audio_dir: Path | None = None
    """Folder of the sound of calls, shared by all processes of the house; None: in the data folder."""
    jobs_dir: Path | None = None
    """Folder of recordings and transcripts of jobs, one for all servers; None: `jobs/` in the data folder."""
    lease_s: float = Field(default=8.0, ge=2, le=120)
    """Seconds without a sign of life after which other processes take over the calls of this one."""
    drain_s: float = Field(default=0.0, ge=0)
    """Seconds that calls may go on after the server was told to stop; then they are handed over."""
    host: str = "127.0.0.1"
    """Address to listen on. On another than loopback there should be HTTPS: `tls_cert`, or a proxy."""
    port: int = Field(default=8300, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    token: str | None = Field(default=None, min_length=16)
    """A token that may do everything, for programs that are set up before there are accounts."""
    open: bool = False
    """Whether everybody on this machine may do everything without signing in; on loopback alone."""
    tls_cert: Path | None = None
    """Certificate, with its chain, in PEM; the server then speaks HTTPS."""
    tls_key: Path | None = None
    """The certificate's key in PEM."""
    proxies: list[str] = []
    """Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""
    oidc_issuer: str = ""
    """Address of an OpenID Connect provider; empty: no single sign-on."""
    oidc_client_id: str = ""
    """By which the provider knows this server."""
    oidc_client_secret: SecretStr = SecretStr("")
    """What it shares with the provider."""
    oidc_name_claim: str = "preferred_username"
    """The claim that becomes the name of an account."""
    oidc_role_claim: str = "roles"
    """The claim that holds the provider's roles."""
    oidc_roles: dict[str, Role] = {}
    """The provider's roles and ours; empty: an admin gives roles here, everybody begins as an operator."""
    oidc_operator_claim: str = ""
    """The claim that names somebody's seat; empty: an admin does."""
    timezone: str = "Asia/Shanghai"
    """Time zone of times shown and of what "today" means."""
    speech_model: str = "whisper-base"
    """Name in the weights manifest, a folder, or the hub name of a faster-whisper model."""
    embedding_model: str = "e5-small"
    """Name in the weights manifest, a folder, or the hub name of a sentence-transformers model."""
    reranker_model: str = ""
    """A cross-encoder, named like the other models, that orders answers to typed questions; empty: none."""
    models_folder: Path | None = None
    """Folder to look for weights in before packages and hub."""
    allow_hub: bool = True
    """Whether weights may be fetched from a model hub where neither folder nor package has them."""
    device: str = "auto"
    """`cpu`, `cuda` or `auto`."""
    compute_type: str = "auto"
    """Number format of the speech model; `auto` is int8 on a CPU and float16 on a GPU."""
    speech_vocabulary: Literal["auto", "chinese", "full"] = "auto"
    """`chinese` drops the model's words of other scripts, `full` keeps all; `auto`: Chinese on a CPU."""
    beam_size: int = Field(default=5, ge=1, le=10)
    """Hypotheses followed when a final is recognised; 1 is quickest."""
    lexicon_file: Path | None = None
    """CSV file of names and words to recognise by their sound; None: lexicon.csv in the data folder."""
    keep_fillers: bool = True
    """Whether hesitations such as 嗯 stay in the text."""
    max_calls: int = Field(default=0, ge=0)
    """Calls running at once; more are refused. 0 chooses by the machine: 8 for each processor core."""
    lost_after_s: float = Field(default=60.0, ge=0)
    """Seconds that a call stays open after its line vanished."""
    resumable_s: float = Field(default=600.0, ge=0)
    """Seconds after a restart within which an interrupted call may be taken up again."""
    kb_review: bool = False
    """Whether a second person must approve an article before it is published."""
    min_free_mb: int = Field(default=200, ge=0)
    """Free disk space, in megabytes, below which no new call is admitted."""

    carriers: dict[str, CarrierRules] = {}
    """How carriers are read: which track is whose, and which fields name seat and numbers."""
    carrier_idle_s: float = Field(default=1800.0, ge=1)
    """Seconds without any message after which the call of a carrier is over."""
    twilio_auth_token: SecretStr = SecretStr("")
    """The auth token of the Twilio account, with which it signs; empty: signatures are not looked at."""
    audiohook_secret: SecretStr = SecretStr("")
    """The client secret, in base64, of a Genesys AudioHook; with it every connection must be signed."""

    audio_form: Form = Form.LOSSLESS
    """How the sound of an ended call is kept: `lossless`, `opus` (a fifth of it), or `raw`, as it came."""
    audio_keys: Path | None = None
    """File with the keys by which the sound of ended calls is encrypted; None: it is not."""
    audio_days: int = Field(default=0, ge=0)
    """Days after which the sound of a call is deleted; 0 keeps it."""
    transcript_days: int = Field(default=0, ge=0)
    """Days after which all of a call is deleted; 0 keeps it."""
    days_by_kind: dict[str, Days] = {}
    """Other days for calls of a kind, as `{"举报": {"audio_days": 1825, "transcript_days": 3650}}`."""
    transcription_max_mb: int = Field(default=200, ge=1)
    """Size, in megabytes, of a recording that a program may have transcribed while it waits."""

    attachment_max_mb: int = Field(default=20, ge=1)
    """Size, in megabytes, of a file that belongs to a work order."""

    job_folders: list[Path] = []
    """Folders of this machine whose recordings may be transcribed as jobs without being uploaded."""
    job_max_mb: int = Field(default=2000, ge=1)
    """Size, in megabytes, of what one job may upload."""
    job_max_files: int = Field(default=10_000, ge=1)
    """Recordings that one job may hold."""
    jobs_per_user: int = Field(default=8, ge=1)
    """Jobs of one user, or one token, that wait or run."""
    jobs_waiting: int = Field(default=100, ge=1)
    """Jobs of all users that wait or run."""

    crm_url: str = ""
    """Address in another system that the desk opens for a call, with `{caller}` and the like; empty: none."""
    report_day: bool = True
    """Whether a report of each day is made by itself."""
    report_week: bool = True
    """Whether a report of each week is made by itself."""
    report_month: bool = True
    """Whether a report of each month is made by itself."""
    report_hour: int = Field(default=6, ge=0, le=23)
    """From which hour of the day after the period on these are made."""
    report_keep_days: int = Field(default=0, ge=0)
    """Days after which reports are deleted; 0 keeps them."""

    report_prose: Literal["rules", "model"] = "rules"
    """`model`: the language model of `llm_url` rewrites the prose of reports; rules decide what may stand."""

    llm_url: str = ""
    """Address, with `/v1`, of a language model that drafts wrap-ups a second time; empty: none."""
    llm_model: str = ""
    """The model's name there."""
    llm_key: SecretStr = SecretStr("")
    """What the address wants to be shown, as `Authorization: Bearer`."""
    llm_timeout_s: float = Field(default=20.0, gt=0, le=600)
    """Seconds after which the draft without it stands."""

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.open and not is_loopback(self.host):
            raise ValueError(f"refusing to listen on {self.host} with an open door: unset ZHITING_OPEN")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together")
        if self.siprec_tls_port and self.tls_cert is None:
            raise ValueError("siprec_tls_port needs tls_cert and tls_key")
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret.get_secret_value()):
            raise ValueError("oidc_issuer needs oidc_client_id and oidc_client_secret")
        if self.llm_url:
            parts = urlsplit(self.llm_url)
            if parts.scheme not in ("http", "https") or not parts.hostname or not self.llm_model:
                raise ValueError("llm_url must be an address with http:// or https://, and needs llm_model")
        if self.report_prose == "model" and not self.llm_url:
            raise ValueError("report_prose=model needs llm_url and llm_model")
        if self.crm_url:
            parts = urlsplit(self.crm_url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("crm_url must be an address with http:// or https://")
        known = (*CARRIERS, *CARRIERS_BY_PORT)
        if unknown := sorted(set(self.carriers) - set(known)):
            raise ValueError(f"carriers: nobody knows {', '.join(unknown)}; there are {', '.join(known)}")
        try:
            base64.b64decode(self.audiohook_secret.get_secret_value(), validate=True)
        except ValueError:
            raise ValueError("audiohook_secret is not base64") from None
        ZoneInfo(self.timezone)
        try:
            read_keys(self.audio_keys)
        except (BadKeys, OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise ValueError(f"audio_keys cannot be used: {why}") from None
        return self

    @model_validator(mode="after")
    def _knows_kinds(self) -> "Settings":
        if wrong := [kind for kind in self.days_by_kind if not may_be_kind(kind)]:
            raise ValueError(f"days_by_kind: {wrong[0][:40]!r} is no name of a kind")
        return self

    @model_validator(mode="after")
    def _can_open_database(self) -> "Settings":
        if self.database_url and urlsplit(self.database_url).scheme.partition("+")[0] not in DATABASES:
            raise ValueError("database_url must begin with postgresql://")
        return self

    @model_validator(mode="after")
    def _can_be_several(self) -> "Settings":
        if self.bus and self.bus != "database" and urlsplit(self.bus).scheme not in BUSES:
            raise ValueError("bus must be empty, `database`, or begin with redis://, rediss:// or unix://")
        if self.bus and not self.database_url:
            raise ValueError("bus needs database_url: several processes share one PostgreSQL")
        return self

    @model_validator(mode="after")
    def _shares_another_folder(self) -> "Settings":
        if (shared := folder_of(self.objects)) is None:
            return self
        own = (self.data_dir.resolve(), self.audio_folder.resolve())
        within = {shared.resolve(), *shared.resolve().parents, (shared / "audio").resolve()}
        if within & set(own):  # what the store has is deleted here: it must not be the same file
            raise ValueError("objects must be a folder outside of the data folder and that of the sound")
        return self

    def environment(self) -> dict[str, str]:
        """The environment in which a child process has the same settings, but for what it need not know."""
        kept = self.model_dump(
            mode="json",
            exclude_none=True,
            exclude={
                *("token", "oidc_client_secret", "llm_key", "mail_password", "bus"),
                *("twilio_auth_token", "audiohook_secret"),
            },
        )
        kept.pop("oidc_issuer")
        values = {k: json.dumps(v) if isinstance(v, dict | list) else str(v) for k, v in kept.items()}
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ZHITING_")}
        return inherited | {f"ZHITING_{name.upper()}": value for name, value in values.items()}

    @property
    def is_guarded(self) -> bool:
        """Whether what passes over the network cannot be read there."""
        return is_loopback(self.host) or self.tls_cert is not None or bool(self.proxies)

    @property
    def database(self) -> str | Path:
        """The URL of the database, or the path of its file."""
        return self.database_url or self.data_dir / "zhiting.db"

    @property
    def audio_folder(self) -> Path:
        """Where the sound of calls is kept."""
        return self.audio_dir or self.data_dir / "audio"

    @property
    def jobs_folder(self) -> Path:
        """Where the files of jobs are kept."""
        return self.jobs_dir or self.data_dir / "jobs"

    @property
    def lexicon_path(self) -> Path:
        """Where the admin's own words are kept."""
        return self.lexicon_file or self.data_dir / "lexicon.csv"

    @property
    def calls_at_once(self) -> int:
        """How many calls are admitted."""
        return self.max_calls or (LISTENED_CALLS if self.ears == "ray" else self.calls_heard_here)

    @property
    def calls_heard_here(self) -> int:
        """How many calls this machine is reckoned to recognise by itself."""
        return chosen_calls(len(os.sched_getaffinity(0)))

    @property
    def llm_options(self) -> EndpointOptions | None:
        """Which language model drafts wrap-ups; None: none does."""
        if not self.llm_url:
            return None
        return EndpointOptions(
            url=self.llm_url,
            model=self.llm_model,
            key=self.llm_key.get_secret_value(),
            timeout_s=self.llm_timeout_s,
        )

    @property
    def letterbox(self) -> Letterbox:
        """Who gets mails of warnings; nobody, where none are sent."""
        kept = self.mail_to if self.mail_host else {}
        roles = {role.value for role in Role}
        return Letterbox(
            to=Addressees(
                everyone=[one for name, all_ in kept.items() if name in roles for one in all_],
                by_department={name: all_ for name, all_ in kept.items() if name not in roles},
            ),
            link=f"{self.address.rstrip('/')}/warnings" if self.address else "",
            zone=ZoneInfo(self.timezone),
        )

    def retention(self) -> Policy:
        """How long calls are kept."""
        return Policy(
            usual=Term(audio_days=self.audio_days, transcript_days=self.transcript_days),
            by_kind={kind: Term(**days.model_dump()) for kind, days in self.days_by_kind.items()},
        )

    @property
    def speed(self) -> float:
        """How fast `now` goes; only a simulation has another one."""
        return 1.0

    def now(self) -> datetime:
        """The present moment in the configured time zone."""
        return datetime.now(ZoneInfo(self.timezone))
