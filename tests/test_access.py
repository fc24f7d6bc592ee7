"""Who may come in: passwords, lock-out, sessions, tokens, accounts, the audit log; on a real database."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from argon2 import Type, extract_parameters
from sqlalchemy import Engine

from access.attempts import Attempts
from access.gate import Gate
from access.types import (
    BadAccount,
    NotSignedIn,
    Role,
    Scope,
    TooManyAttempts,
    WrongPassword,
)
from knowledge_base.database import migrate, open_database
from tests.databases import database_in, in_both_houses

ROOT = Path(__file__).parent.parent
PASSWORD = "correct horse 7"


class Time:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **much: float) -> None:
        self.now += timedelta(**much)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Engine]:
    database = open_database(database_in(tmp_path))
    migrate(database)
    yield database
    database.dispose()


@pytest.fixture
def gate(database: Engine, time: Time) -> Gate:
    gate = Gate.open(database, clock=time, keys={"配置令牌": "a-fixed-key-of-the-settings"})
    gate.accounts.add("admin", role=Role.ADMIN, password=PASSWORD, now=time())
    gate.accounts.add("li", role=Role.OPERATOR, password=PASSWORD, operator_id="027", now=time())
    return gate


def test_a_right_password_opens_a_session_and_nothing_else_does(gate: Gate) -> None:
    secret, account = gate.sign_in(" LI ", PASSWORD, address="10.0.0.7")
    assert (account.name, account.operator_id) == ("li", "027")
    caller = gate.by_session_secret(secret)
    assert caller.is_person
    assert caller.may_see_calls_of("027")
    assert not caller.may_see_calls_of("028")
    assert not caller.may_see_calls_of(None)
    for name, password in (("li", "wrong horse 7"), ("nobody", PASSWORD), ("li", "")):
        with pytest.raises(WrongPassword) as refused:
            gate.sign_in(name, password, address="10.0.0.8")
        assert refused.value.message == "用户名或密码不对。"
    tried = [entry.target for entry in gate.audit.entries(text="session.refused")[0]]
    assert tried == ["li", "", "li"], "what is no name may be a password in the wrong field"
    with pytest.raises(NotSignedIn):
        gate.by_session_secret("made up")


def test_a_session_ends_when_it_is_closed_idle_or_old(gate: Gate, time: Time) -> None:
    secret, _ = gate.sign_in("li", PASSWORD, address="")
    session = gate.by_session_secret(secret).session
    assert session is not None
    assert secret not in session
    gate.sessions.close(session)
    with pytest.raises(NotSignedIn):
        gate.by_session_secret(secret)
    idle, _ = gate.sign_in("li", PASSWORD, address="")
    time.pass_by(hours=11)
    gate.by_session_secret(idle)
    time.pass_by(hours=11)
    gate.by_session_secret(idle)  # it was used meanwhile
    time.pass_by(hours=13)
    with pytest.raises(NotSignedIn):
        gate.by_session_secret(idle)
    old, _ = gate.sign_in("li", PASSWORD, address="")
    for _hour in range(7 * 24 + 2):
        try:
            gate.by_session_secret(old)
        except NotSignedIn:
            break
        time.pass_by(hours=1)
    else:
        raise AssertionError("a session lasts for ever")


@in_both_houses
def test_locking_an_account_and_changing_a_password_end_its_sessions(gate: Gate) -> None:
    one, _ = gate.sign_in("li", PASSWORD, address="")
    other, _ = gate.sign_in("li", PASSWORD, address="")
    caller = gate.by_session_secret(one)
    assert gate.still_holds(caller)
    with pytest.raises(WrongPassword):
        gate.change_password(caller, "wrong horse 7", "another horse 8", address="")
    gate.change_password(caller, PASSWORD, "another horse 8", address="")
    gate.by_session_secret(one)
    with pytest.raises(NotSignedIn):
        gate.by_session_secret(other)
    with pytest.raises(WrongPassword):
        gate.sign_in("li", PASSWORD, address="")
    gate.accounts.change("li", is_active=False)
    assert not gate.still_holds(caller)
    with pytest.raises(NotSignedIn):
        gate.by_session_secret(one)
    with pytest.raises(WrongPassword):
        gate.sign_in("li", "another horse 8", address="")


def test_a_changed_role_holds_at_once(gate: Gate) -> None:
    secret, _ = gate.sign_in("li", PASSWORD, address="")
    before = gate.by_session_secret(secret)
    assert not before.may(Scope.CALLS_ALL)
    gate.accounts.change("li", role=Role.SUPERVISOR)
    assert gate.by_session_secret(secret).may(Scope.CALLS_ALL)
    assert not gate.still_holds(before)


def test_five_wrong_passwords_lock_a_name_at_an_address_for_a_quarter_of_an_hour(
    gate: Gate, time: Time
) -> None:
    for _ in range(5):
        with pytest.raises(WrongPassword):
            gate.sign_in("li", "wrong horse 7", address="10.0.0.8")
    with pytest.raises(TooManyAttempts) as locked:
        gate.sign_in("li", PASSWORD, address="10.0.0.8")
    assert 0 < locked.value.retry_s <= 900
    assert "15 分钟" in locked.value.message
    gate.sign_in("li", PASSWORD, address="10.0.0.9")  # its owner, elsewhere, is not locked out
    time.pass_by(minutes=16)
    gate.sign_in("li", PASSWORD, address="10.0.0.8")
    actions = [entry.action for entry in gate.audit.entries(text="session.")[0]]
    assert actions.count("session.refused") == 4
    assert actions.count("session.locked") == 1


def test_an_address_that_tries_many_names_and_a_name_tried_from_everywhere_are_locked() -> None:
    attempts = Attempts()
    for number in range(30):
        assert attempts.wait_s(f"n{number}", "10.0.0.8", 0.0) == 0
        attempts.fail(f"n{number}", "10.0.0.8", 0.0)
    assert attempts.wait_s("fresh", "10.0.0.8", 1.0) == 899
    for number in range(50):
        attempts.fail("li", f"10.1.0.{number}", 0.0)
    assert attempts.wait_s("li", "10.2.0.1", 0.0) > 0
    assert attempts.wait_s("li", "10.2.0.1", 901.0) == 0
    for number in range(20_000):
        attempts.fail(f"m{number}", f"a{number}", 0.0)
    assert len(attempts._failures) == 10_000


def test_ten_thousand_wrong_logins_open_nothing_and_cost_little(gate: Gate) -> None:
    outcomes = {WrongPassword: 0, TooManyAttempts: 0}
    for number in range(10_000):
        name = ("admin", "li", f"n{number}")[number % 3]
        with pytest.raises((WrongPassword, TooManyAttempts)) as refused:
            gate.sign_in(name, f"guess number {number}", address="10.0.0.8")
        outcomes[refused.type] += 1
    assert outcomes == {WrongPassword: 30, TooManyAttempts: 9_970}
    assert gate.audit.entries(text="session.")[1] == 30  # the log is not flooded either
    gate.sign_in("li", PASSWORD, address="10.0.0.7")


def test_guessing_is_slow_on_purpose() -> None:
    """In a process of its own: here hashes are cheap."""
    program = "from access import passwords as p; print(p.hash_password('correct horse 7'), p.nobody)"
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    for hashed in map(extract_parameters, told.stdout.split()):
        assert hashed.type is Type.ID
        assert hashed.memory_cost >= 64 * 1024
        assert hashed.time_cost >= 3


@pytest.mark.parametrize("password", ["short 7", "aaaaaaaaaaaa", "wang wang 2026!", "x" * 201])
def test_weak_passwords_are_refused(gate: Gate, time: Time, password: str) -> None:
    with pytest.raises(BadAccount):
        gate.accounts.add("wang", role=Role.OPERATOR, password=password, now=time())
    assert gate.accounts.get("wang") is None


@pytest.mark.parametrize("name", ["", "x", "a b", "x" * 65, "<script>", "a/b"])
def test_strange_names_are_refused(gate: Gate, time: Time, name: str) -> None:
    with pytest.raises(BadAccount):
        gate.accounts.add(name, role=Role.OPERATOR, password=PASSWORD, now=time())


def test_the_last_admin_stays_one(gate: Gate, time: Time) -> None:
    for change in ({"role": Role.OPERATOR}, {"is_active": False}):
        with pytest.raises(BadAccount) as refused:
            gate.accounts.change("admin", **change)  # type: ignore[arg-type]
        assert refused.value.code == "access.last_admin"
    gate.accounts.add("second", role=Role.ADMIN, password=PASSWORD, now=time())
    gate.accounts.change("admin", role=Role.OPERATOR)
    with pytest.raises(BadAccount):
        gate.accounts.add("LI", role=Role.ADMIN, password=PASSWORD, now=time())


@in_both_houses
def test_a_token_does_what_it_may_until_it_expires_or_is_revoked(gate: Gate, time: Time) -> None:
    token, key = gate.tokens.add(
        "交换机", scopes={Scope.AUDIO}, by="admin", now=time(), lasts=timedelta(days=30)
    )
    caller = gate.by_key(key)
    assert (caller.name, caller.scopes, caller.is_person) == ("交换机", {Scope.AUDIO}, False)
    assert not caller.may_see_calls_of("027")
    time.pass_by(days=29)
    assert gate.still_holds(caller)
    time.pass_by(days=2)
    assert not gate.still_holds(caller)
    with pytest.raises(NotSignedIn):
        gate.by_key(key)
    other, key = gate.tokens.add(
        "CRM", scopes={Scope.CALLS_ALL}, by="wang", now=time(), lasts=timedelta(days=1)
    )
    with pytest.raises(BadAccount):
        gate.tokens.revoke(other.token_id, by="li", now=time())
    gate.tokens.revoke(other.token_id, by="wang", now=time())
    with pytest.raises(NotSignedIn):
        gate.by_key(key)
    assert [one.token_id for one in gate.tokens.every(by="admin")] == [token.token_id]
    for days in (0, 6 * 365):
        with pytest.raises(BadAccount):
            gate.tokens.add("x", scopes={Scope.AUDIO}, by="a", now=time(), lasts=timedelta(days=days))
    assert gate.by_key("a-fixed-key-of-the-settings").may(Scope.SYSTEM)


@in_both_houses
def test_the_code_makes_the_first_admin_once(database: Engine, time: Time) -> None:
    gate = Gate.open(database, clock=time, keys={})
    code = gate.offer_code()
    with pytest.raises(WrongPassword) as wrong:
        gate.sign_in_by_code("AAAA-BBBB-CCCC-DDDD", address="", name="chief", password=PASSWORD)
    assert wrong.value.code == "access.wrong_code"
    with pytest.raises(BadAccount):  # a weak password does not use the code up
        gate.sign_in_by_code(code, address="", name="chief", password="short")
    secret, account = gate.sign_in_by_code(code.lower(), address="", name="chief", password=PASSWORD)
    assert account.role is Role.ADMIN
    assert gate.by_session_secret(secret).may(Scope.SYSTEM)
    with pytest.raises(WrongPassword):
        gate.sign_in_by_code(code, address="", name="second", password=PASSWORD)


def test_wrong_codes_are_in_the_log_and_lock_nothing_but_codes(gate: Gate) -> None:
    code = gate.offer_code()
    for _ in range(5):
        with pytest.raises(WrongPassword):
            gate.sign_in_by_code("AAAA-BBBB-CCCC-DDDD", address="10.0.0.8")
    with pytest.raises(TooManyAttempts):
        gate.sign_in_by_code(code, address="10.0.0.8")
    gate.sign_in("li", PASSWORD, address="10.0.0.8")  # a person behind the same address
    gate.sign_in_by_code(code, address="10.0.0.9")
    found, _ = gate.audit.entries(text="session")
    assert [(entry.action, entry.target, entry.address) for entry in reversed(found)] == [
        *[("session.refused_by_code", "", "10.0.0.8")] * 4,
        ("session.locked", "", "10.0.0.8"),
        ("session.opened", "li", "10.0.0.8"),
        ("session.opened_by_code", "admin", "10.0.0.9"),
    ]


def test_codes_do_not_wear_out_the_lock_of_an_address(gate: Gate) -> None:
    with pytest.raises(WrongPassword):
        gate.sign_in_by_code("AAAA-BBBB-CCCC-DDDD", address="10.0.0.8")
    for number in range(29):
        with pytest.raises(WrongPassword):
            gate.sign_in(f"n{number}", "wrong", address="10.0.0.8")
    with pytest.raises(TooManyAttempts):
        gate.sign_in("fresh", "wrong", address="10.0.0.8")


def test_a_wrong_old_password_is_in_the_log_and_locks_after_five(gate: Gate) -> None:
    secret, _ = gate.sign_in("li", PASSWORD, address="10.0.0.7")
    caller = gate.by_session_secret(secret)
    for _ in range(5):
        with pytest.raises(WrongPassword):
            gate.change_password(caller, "wrong horse 7", "another horse 8", address="10.0.0.7")
    with pytest.raises(TooManyAttempts):
        gate.change_password(caller, PASSWORD, "another horse 8", address="10.0.0.7")
    found, _ = gate.audit.entries(who="li", text="session")
    actions = [entry.action for entry in reversed(found)]
    assert actions == ["session.opened", *["session.refused_password"] * 4, "session.locked"]
    assert not any("horse" in entry.target for entry in found)


def test_with_accounts_the_code_signs_in_as_the_oldest_admin(gate: Gate, time: Time) -> None:
    time.pass_by(days=1)
    gate.accounts.add("second", role=Role.ADMIN, password=PASSWORD, now=time())
    _, account = gate.sign_in_by_code(gate.offer_code(), address="")
    assert account.name == "admin"


@in_both_houses
def test_the_audit_log_is_found_by_who_what_and_when(gate: Gate, time: Time) -> None:
    begun = time()
    for number in range(3):
        time.pass_by(minutes=1)
        gate.audit.note(
            who="li",
            address="10.0.0.7",
            action="PUT /v1/articles/…",
            target=f"T00{number}",
            now=time(),
        )
    found, total = gate.audit.entries(who="li", text="articles", limit=2)
    assert (total, [entry.target for entry in found]) == (3, ["T002", "T001"])
    assert gate.audit.entries(text="100%_")[1] == 0
    assert gate.audit.entries(text="put /v1/ARTICLES")[1] == 3, "whatever the size of letters"
    assert gate.audit.entries(since=begun + timedelta(minutes=2))[1] == 2
    assert gate.audit.entries(until=begun + timedelta(minutes=2), who="li")[1] == 1
    elsewhere = (begun + timedelta(minutes=2)).astimezone(ZoneInfo("Asia/Shanghai"))
    assert gate.audit.entries(since=elsewhere)[1] == 2
    assert gate.audit.entries(actions=["PUT /v1/articles/…", "session.opened"])[1] == 3
    assert gate.audit.entries(actions=["PUT /v1"])[1] == 0
