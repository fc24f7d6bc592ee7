"""The command `zhiting`: one place from which everything is started.

In: the command line. Out: exit codes that mean something: 0 done, 1 failed with a sentence, 2 misused.
Not known here: how anything is done.
"""

import asyncio
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar

import typer
from pydantic import ValidationError
from rich.console import Console
from typer.core import TyperGroup

from asr.types import AsrError
from scripts.demo_calls import demo_calls
from scripts.replay import Recording, Replay, ReplayFailed, read_recording, replay
from scripts.server_options import DEFAULT_SERVER, Server, Token, local_key
from scripts.telling import console_beside


class _Groups(TyperGroup):
    """Imports a group of commands when it is asked for: most of them take seconds to import."""

    modules: ClassVar = {
        "accounts": "scripts.accounts_cli",
        "bench": "scripts.bench_cli",
        "calls": "scripts.calls_cli",
        "database": "scripts.database_cli",
        "evaluate": "scripts.evaluate_cli",
        "kb": "scripts.kb_cli",
        "models": "scripts.models_cli",
        "train": "scripts.train_cli",
        "try": "scripts.try_cli",
        "wrapup": "scripts.wrapup_cli",
    }

    single: ClassVar = {
        "transcribe": "scripts.transcribe_cli",
        "backup": "scripts.backup_cli",
        "bundle": "scripts.bundle_cli",
        "doctor": "scripts.doctor_cli",
        "ears": "scripts.ears_cli",
        "erase": "scripts.erase_cli",
        "forget": "scripts.forget_cli",
        "restore": "scripts.restore_cli",
        "retention": "scripts.retention_cli",
        "simulate": "scripts.simulate_cli",
        "simulate-caller": "scripts.simulate_caller",
    }
    """Modules with one command, a function of its name."""

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *self.modules, *self.single]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in self.modules:
            command = typer.main.get_command(import_module(self.modules[cmd_name]).app)
            command.name = cmd_name
            return command
        if cmd_name in self.single:
            one = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            one.command(cmd_name)(getattr(import_module(self.single[cmd_name]), cmd_name.replace("-", "_")))
            return typer.main.get_command(one)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    cls=_Groups,
    help="智听 Zhiting: live transcription and knowledge for a city hotline.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_console = Console(stderr=True, highlight=False, soft_wrap=True)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Play the bundled calls into the server.")] = False,
    login: Annotated[
        bool, typer.Option("--login", help="Print a link that signs in once, as the oldest admin.")
    ] = False,
) -> None:
    """Start the server; settings come from ZHITING_… variables and .env."""
    from agent_ui.logs import write_logs
    from agent_ui.settings import Settings
    from server import serve as run_server

    given: dict[str, Any] = {"host": host, "port": port}
    try:
        settings = Settings(**{key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            where = ".".join(str(part) for part in problem["loc"])
            _console.print(f"setting {where}: {problem['msg']}" if where else problem["msg"])
        raise typer.Exit(2) from None
    write_logs(settings.log_options)
    console = console_beside(settings.log)
    player: subprocess.Popen[bytes] | None = None
    code = ""
    is_first = False

    def on_code(offered: str, is_first_account: bool) -> None:
        nonlocal code, is_first
        code, is_first = offered, is_first_account

    def on_ready(address: str) -> None:
        nonlocal player
        console.print(f"\n  智听已启动：[bold]{address}/[/bold]\n")
        if code:
            what = "首次使用，请打开此链接创建管理员账号" if is_first else "打开此链接即可登录（一次有效）"
            console.print(f"  {what}：\n  [bold]{address}/login#code={code}[/bold]\n")
        if demo:
            console.print("  正在循环播放示例通话；不需要时用 [bold]make run DEMO=0[/bold] 启动。\n")
            player = subprocess.Popen([sys.executable, "-m", "scripts.cli", "demo", "--server", address])

    try:
        run_server(settings, on_ready, on_code=on_code, offers_code=login)
    finally:
        if player is not None:
            player.terminate()
            player.wait()


@app.command()
def setup(
    sample: Annotated[
        bool, typer.Option(help="Publish the invented sample articles where there is no knowledge base yet.")
    ] = True,
) -> None:
    """Make ready what a server needs: weights, the database's schema, and a sample knowledge base."""
    from agent_ui.settings import Settings
    from scripts import kb_cli, models_cli

    settings = Settings()
    models_cli.fetch(cache_dir=settings.data_dir / "models", hub=settings.allow_hub)
    kb_cli.load_sample_once(settings, wants_sample=sample)


@app.command("replay")
def replay_call(
    recording: Annotated[Path, typer.Argument(help="Recording of one call, in any common format.")],
    server: Server = DEFAULT_SERVER,
    token: Token = None,
    speed: Annotated[float, typer.Option(min=0.1, max=100, help="1 plays as it was spoken.")] = 1.0,
    call_id: Annotated[
        str | None, typer.Option(help="Identifier of the call; else the server gives one.")
    ] = None,
    operator: Annotated[str | None, typer.Option(help="Operator who takes the call.")] = None,
    caller: Annotated[str | None, typer.Option(help="Telephone number of the caller.")] = None,
    operator_left: Annotated[
        bool, typer.Option("--operator-left", help="The left channel is the operator's, not the citizen's.")
    ] = False,
) -> None:
    """Play a recording into a server as a live call."""
    options = Replay(
        server=server,
        token=token or local_key(),
        speed=speed,
        call_id=call_id,
        operator_id=operator,
        caller=caller,
    )
    try:
        asyncio.run(_play(read_recording(recording, is_operator_left=operator_left), options))
    except (ReplayFailed, AsrError) as error:
        _console.print(str(error))
        raise typer.Exit(1) from None


@app.command()
def demo(server: Server = DEFAULT_SERVER, token: Token = None) -> None:
    """Play the bundled calls into a server, one after the other, until stopped."""
    try:
        asyncio.run(_play_demo(server, token))
    except (ReplayFailed, KeyboardInterrupt) as error:
        _console.print(f"示例通话停止：{error}" if str(error) else "示例通话停止。")


async def _play_demo(server: str, token: str | None) -> None:
    while True:
        for path, caller in demo_calls():
            await _play(
                read_recording(path),
                Replay(server=server, token=token or local_key(), operator_id="027", caller=caller),
            )
            await asyncio.sleep(8.0)


async def _play(recording: Recording, options: Replay) -> None:
    """Play with a line of progress where a person is looking."""
    with _console.status(recording.name) as status:

        def on_progress(call_id: str, media_s: float) -> None:
            status.update(f"{call_id}  {media_s:5.1f} / {recording.seconds:.1f} s")

        ended = await replay(recording, options, on_progress)
    _console.print(f"{ended['call_id']}: {ended['seconds']:.1f} s played")


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
