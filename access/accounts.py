"""Accounts: the people who may sign in.

In: what an admin decides, passwords. Out: `Account`s.
Not known here: sessions, how often somebody tried, HTTP.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from access.passwords import check_strength, hash_password, is_password
from access.tables import accounts as _accounts
from access.types import Account, BadAccount, Role
from knowledge_base.database import writing

_NAME = re.compile(r"[\w.@-]{2,64}")


class Accounts:
    """The accounts. All methods block; those that take a password some 50 ms and more."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def is_empty(self) -> bool:
        """Whether nobody has an account yet."""
        with self._engine.connect() as connection:
            return connection.execute(sa.select(_accounts.c.name).limit(1)).first() is None

    def every(self) -> tuple[Account, ...]:
        """All accounts by name."""
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(_accounts).order_by(_accounts.c.name))
            return tuple(_to_account(row) for row in rows)

    def get(self, name: str) -> Account | None:
        """One account; names are the same in capitals."""
        row = self._row(_accounts.c.name == name.lower())
        return _to_account(row) if row else None

    def of_subject(self, subject: str) -> Account | None:
        """The account that single sign-on knows by that subject."""
        row = self._row(_accounts.c.subject == subject)
        return _to_account(row) if row else None

    def add(
        self,
        name: str,
        *,
        role: Role,
        now: datetime,
        password: str | None = None,
        subject: str | None = None,
        display_name: str = "",
        operator_id: str | None = None,
        department_id: str | None = None,
        only_if_first: bool = False,
    ) -> Account:
        """Add an account with a password, with a subject of single sign-on, or both. Raises `BadAccount`.

        `only_if_first` refuses where there is an account already.
        """
        name = name.strip().lower()
        if not _NAME.fullmatch(name):
            raise BadAccount("用户名须为 2 至 64 个字母、汉字、数字或 . _ - @。", code="access.bad_name")
        if password is not None:
            check_strength(password, name=name)
        values = {
            "name": name,
            "display_name": display_name.strip()[:100] or name,
            "role": role.value,
            "operator_id": (operator_id or "").strip()[:128] or None,
            "department_id": (department_id or "").strip()[:128] or None,
            "password_hash": hash_password(password) if password is not None else None,
            "subject": subject,
            "is_active": True,
            "created_at": now.isoformat(),
        }
        try:
            with writing(self._engine) as connection:
                if only_if_first and connection.execute(sa.select(_accounts.c.name).limit(1)).first():
                    raise BadAccount("已有账号，请直接登录。", code="access.not_first")
                connection.execute(_accounts.insert().values(values))
                return _to_account(connection.execute(_of(name)).one())
        except IntegrityError:
            raise BadAccount(f"用户名 {name} 已被使用。", code="access.name_in_use") from None

    def change(
        self,
        name: str,
        *,
        display_name: str | None = None,
        role: Role | None = None,
        operator_id: str | None = None,
        department_id: str | None = None,
        is_active: bool | None = None,
    ) -> Account:
        """Change what is given; an empty seat or department takes it away. Raises `BadAccount`.

        The last active admin stays one.
        """
        name = name.lower()
        values: dict[str, Any] = {}
        if display_name is not None:
            values["display_name"] = display_name.strip()[:100] or name
        if role is not None:
            values["role"] = role.value
        if operator_id is not None:
            values["operator_id"] = operator_id.strip()[:128] or None
        if department_id is not None:
            values["department_id"] = department_id.strip()[:128] or None
        if is_active is not None:
            values["is_active"] = is_active
        admins = sa.select(sa.func.count()).where(_accounts.c.role == Role.ADMIN.value, _accounts.c.is_active)
        with writing(self._engine) as connection:
            before = connection.scalar(admins)
            if values:
                connection.execute(_accounts.update().where(_accounts.c.name == name).values(values))
            row = connection.execute(_of(name)).first()
            if row is None:
                raise BadAccount(f"没有用户 {name}。", code="access.unknown_account")
            if before and not connection.scalar(admins):
                raise BadAccount("至少要保留一名可以登录的管理员。", code="access.last_admin")
            return _to_account(row)

    def set_password(self, name: str, password: str) -> None:
        """Give somebody another password. Raises `BadAccount`."""
        name = name.lower()
        check_strength(password, name=name)
        password_hash = hash_password(password)
        with writing(self._engine) as connection:
            changed = connection.execute(
                _accounts.update().where(_accounts.c.name == name).values(password_hash=password_hash)
            )
            if not changed.rowcount:
                raise BadAccount(f"没有用户 {name}。", code="access.unknown_account")

    def is_password(self, name: str, password: str) -> bool:
        """Whether an active account has that name and password; takes equally long for unknown names."""
        row = self._row(_accounts.c.name == name.lower())
        is_right = is_password(password, row["password_hash"] if row else None)
        return is_right and row is not None and bool(row["is_active"])

    def _row(self, condition: Any) -> Mapping[str, Any] | None:
        with self._engine.connect() as connection:
            row = connection.execute(sa.select(_accounts).where(condition)).mappings().first()
            return dict(row) if row is not None else None


def _of(name: str) -> Any:
    return sa.select(_accounts).where(_accounts.c.name == name)


def _to_account(row: Any) -> Account:
    values = row if isinstance(row, Mapping) else row._mapping
    return Account(
        name=values["name"],
        display_name=values["display_name"],
        role=Role(values["role"]),
        operator_id=values["operator_id"],
        department_id=values["department_id"],
        is_active=bool(values["is_active"]),
        has_password=values["password_hash"] is not None,
        created_at=datetime.fromisoformat(values["created_at"]),
    )
