"""What can be set, from the environment or a file `.env`.

In: variables that begin with `ZHITING_`. Out: `Settings`, checked.
Not known here: who uses which of them.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from agent_ui.access import is_loopback
from asr.pool_options import chosen_calls


class Settings(BaseSettings):
    """Everything that can be set; each field is `ZHITING_` + its name in the environment."""

    model_config = SettingsConfigDict(env_prefix="ZHITING_", env_file=".env", extra="ignore")

    data_dir: Path = Path("var")
    """One place for all data: database, knowledge base versions, audio, weights."""
    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs `token`."""
    port: int = Field(default=8300, ge=0, le=65535)
    """Port to listen on; 0 takes a free one."""
    token: str | None = Field(default=None, min_length=16)
    """Bearer token that REST and sockets ask for; without one, anybody on this machine may come in."""
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

    @model_validator(mode="after")
    def _is_guarded(self) -> "Settings":
        if not is_loopback(self.host) and self.token is None:
            raise ValueError(
                f"refusing to listen on {self.host} without a token: "
                "set ZHITING_TOKEN (16 characters or more), or listen on 127.0.0.1"
            )
        ZoneInfo(self.timezone)
        return self

    def environment(self) -> dict[str, str]:
        """The environment in which a child process has the same settings."""
        values = self.model_dump(mode="json", exclude_none=True)
        return os.environ | {f"ZHITING_{name.upper()}": str(value) for name, value in values.items()}

    @property
    def lexicon_path(self) -> Path:
        """Where the admin's own words are kept."""
        return self.lexicon_file or self.data_dir / "lexicon.csv"

    @property
    def calls_at_once(self) -> int:
        """How many calls are admitted."""
        return self.max_calls or chosen_calls(len(os.sched_getaffinity(0)))

    def now(self) -> datetime:
        """The present moment in the configured time zone."""
        return datetime.now(ZoneInfo(self.timezone))
