"""How commands come to a server: the options that name it, and the token it leaves for this machine.

In: nothing. Out: types of options, a token. Not known here: what is asked of the server.
"""

from typing import Annotated

import typer
from pydantic import ValidationError

DEFAULT_SERVER = "http://127.0.0.1:8300"
Token = Annotated[
    str | None, typer.Option(envvar="ZHITING_TOKEN", help="Token that the server asks for.", show_envvar=True)
]
Server = Annotated[str, typer.Option(help="Address of the server.")]


def local_key() -> str | None:
    """The token that a server on this machine leaves for commands of ours with the same data folder."""
    from agent_ui.settings import LOCAL_KEY, Settings

    try:
        return (Settings().data_dir / LOCAL_KEY).read_text(encoding="utf-8").strip()
    except (OSError, ValidationError):
        return None
