"""What can be set about what the server tells of itself: log lines and traces.

In: variables that begin with `ZHITING_`. Out: a part of `Settings`, checked.
Not known here: who uses which of them.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings

from agent_ui.logs import Form, Level, LogOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceOptions:
    """Where traces go. Other things are set by OpenTelemetry's own variables (docs/monitoring.md)."""

    address: str
    """Of the collector, without `/v1/traces`."""
    share: float = 1.0
    """Of traces that are kept, 0 to 1."""


class WatchSettings(BaseSettings):
    """Lines of text, and no traces, unless it is set otherwise."""

    log: Form = "text"
    """`text`, or `json`: one object a line, for programs that collect logs."""
    log_level: Level = "info"
    """The least important lines that are written: `debug`, `info`, `warning` or `error`."""
    traces: str = Field(default="", repr=False)
    """Address of an OpenTelemetry collector (OTLP, HTTP), as `http://collector:4318`; empty: no traces."""
    traces_share: float = Field(default=1.0, ge=0, le=1)
    """Share of traces that are kept, 0 to 1."""

    @model_validator(mode="after")
    def _can_trace(self) -> "WatchSettings":
        if not self.traces:
            return self
        parts = urlsplit(self.traces)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("traces must be an address with http:// or https://, as http://collector:4318")
        if not _is_there("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"):
            raise ValueError("traces needs OpenTelemetry: pip install 'zhiting[traces]'")
        return self

    @property
    def log_options(self) -> LogOptions:
        """How log lines are written."""
        return LogOptions(form=self.log, level=self.log_level)

    @property
    def trace_options(self) -> TraceOptions | None:
        """Where traces go; None: there are none."""
        return TraceOptions(address=self.traces, share=self.traces_share) if self.traces else None


def _is_there(*modules: str) -> bool:
    try:
        return all(find_spec(one) is not None for one in modules)
    except ModuleNotFoundError:  # not even what they lie in
        return False
