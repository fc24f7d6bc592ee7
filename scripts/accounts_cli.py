"""`zhiting accounts`: people who may sign in, from the command line of the server's own machine.

In: names, roles, passwords typed without an echo. Out: accounts; entries in the audit log.
Not known here: a running server; it sees changes at once, as they are in the database.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from access.gate import Gate
from access.types import AccessError, Role
from agent_ui.settings import Settings
from knowledge_base.database import migrate, open_database

app = typer.Typer(help="People who may sign in.", no_args_is_help=True)
_console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
_FROM = "命令行"

Name = Annotated[str, typer.Argument(help="What is typed to sign in.")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command("add")
def add_account(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person's work is.")] = Role.OPERATOR,
    operator: Annotated[str, typer.Option(help="The seat whose calls are this person's own.")] = "",
    department: Annotated[
        str, typer.Option(help="The department whose work orders are this person's own.")
    ] = "",
    display_name: Annotated[str, typer.Option(help="Shown on the pages.")] = "",
    password_stdin: FromStdin = False,
) -> None:
    """Add an account; asks for the password."""
    password = _password(password_stdin)
    with _gate() as gate:
        account = gate.accounts.add(
            name,
            role=role,
            password=password,
            display_name=display_name,
            operator_id=operator,
            department_id=department,
            now=gate.clock(),
        )
        _note(gate, "account.added", account.name)
    _console.print(f"{account.name}：已添加，角色 {account.role}")


@app.command("password")
def set_password(name: Name, password_stdin: FromStdin = False) -> None:
    """Give somebody another password; asks for it, and ends their sessions."""
    password = _password(password_stdin)
    with _gate() as gate:
        gate.accounts.set_password(name, password)
        gate.sessions.close_all(name.lower())
        _note(gate, "account.password", name)
    _console.print(f"{name}：密码已更改")


@app.command("lock")
def lock_account(name: Name, unlock: Annotated[bool, typer.Option("--unlock")] = False) -> None:
    """Lock an account and end its sessions, or unlock it."""
    with _gate() as gate:
        account = gate.accounts.change(name, is_active=unlock)
        gate.sessions.close_all(account.name)
        _note(gate, "account.unlocked" if unlock else "account.locked", account.name)
    _console.print(f"{account.name}：{'已恢复' if unlock else '已停用'}")


@app.command("list")
def list_accounts() -> None:
    """List the accounts."""
    table = Table("用户名", "姓名", "角色", "坐席", "状态")
    with _gate() as gate:
        for one in gate.accounts.every():
            state = "可登录" if one.is_active else "已停用"
            table.add_row(one.name, one.display_name, one.role, one.operator_id or "", state)
    Console().print(table)


@contextmanager
def _gate() -> Iterator[Gate]:
    settings = Settings()
    database = open_database(settings.database)
    try:
        migrate(database)
        yield Gate.open(database, clock=settings.now, keys={})
    except AccessError as error:
        _console.print(error.message)
        raise typer.Exit(1) from None
    finally:
        database.dispose()


def _note(gate: Gate, action: str, target: str) -> None:
    gate.audit.note(who=_FROM, address=_FROM, action=action, target=target, now=gate.clock())


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("密码", hide_input=True, confirmation_prompt=True))
