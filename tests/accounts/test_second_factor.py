"""The second factor: each code counts once, for its time; recovery codes stand in for it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
import time_machine
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from flowforge import jsonio
from flowforge.accounts import accounts, second_factor
from flowforge.accounts.second_factor import CodeNeeded, SecondStep, WrongCode
from flowforge.accounts.views import AccountView
from flowforge.db.sealed import reseal
from flowforge.errors import Conflict, Forbidden, Invalid, Unauthorized
from flowforge.secrets import Vault, new_key
from tests.accounts.conftest import OLD

WEEK = timedelta(days=7)


@pytest.fixture(autouse=True)
def standing_clock() -> Iterator[None]:
    """No step of 30 seconds ends in the middle of a test."""
    with time_machine.travel(datetime.now(UTC), tick=False):
        yield


@pytest.fixture(scope="module")
def vault() -> Vault:
    return Vault([new_key()])


@pytest.fixture
def app(session: Session, vault: Vault, ada: AccountView) -> pyotp.TOTP:
    """Ada's authenticator app; its setup has used the code of a minute ago."""
    return pyotp.TOTP(second_factor.begin_setup(session, vault, ada.id).secret)


@pytest.fixture
def recovery_codes(session: Session, vault: Vault, ada: AccountView, app: pyotp.TOTP) -> list[str]:
    return list(second_factor.confirm_setup(session, ada.id, SecondStep(vault, at(app, -1))))


def at(app: pyotp.TOTP, steps: int) -> str:
    return app.generate_otp(app.timecode(datetime.now(UTC)) + steps)


def sign_in(session: Session, vault: Vault, code: str) -> AccountView:
    return accounts.authenticate(session, "ada", OLD, SecondStep(vault, code))


def test_it_is_off_until_the_app_shows_a_code(
    session: Session, vault: Vault, ada: AccountView, app: pyotp.TOTP
) -> None:
    with pytest.raises(Invalid) as refused:
        second_factor.confirm_setup(session, ada.id, SecondStep(vault, "000000"))
    assert refused.value.problems[0].pointer == "/code"
    assert accounts.authenticate(session, "ada", OLD).id == ada.id
    second_factor.confirm_setup(session, ada.id, SecondStep(vault, at(app, 0)))
    with pytest.raises(CodeNeeded):
        accounts.authenticate(session, "ada", OLD)
    with pytest.raises(CodeNeeded):
        accounts.sign_in(session, "ada", OLD, WEEK)


@pytest.mark.usefixtures("recovery_codes")
def test_a_code_counts_once_and_for_its_time(session: Session, vault: Vault, ada: AccountView, app: pyotp.TOTP) -> None:
    assert sign_in(session, vault, f" {at(app, 0)[:3]} {at(app, 0)[3:]}").id == ada.id
    for code in (at(app, 0), at(app, -1), at(app, -2), at(app, 5), "000000", "no code", "\0"):
        with pytest.raises(WrongCode):
            sign_in(session, vault, code)
    assert sign_in(session, vault, at(app, 1)).id == ada.id


@pytest.mark.usefixtures("recovery_codes")
def test_of_two_who_use_a_code_at_once_one_gets_in(engine: Engine, vault: Vault, app: pyotp.TOTP) -> None:
    code = at(app, 0)

    def try_it(_: int) -> bool:
        with Session(engine) as own:
            try:
                return bool(sign_in(own, vault, code))
            except WrongCode:
                return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(try_it, range(4))) == [False, False, False, True]


def test_a_recovery_code_counts_once_however_it_is_written(
    session: Session, vault: Vault, ada: AccountView, recovery_codes: list[str]
) -> None:
    assert len(set(recovery_codes)) == second_factor.RECOVERY_CODES
    assert sign_in(session, vault, recovery_codes[0].upper().replace("-", " ")).id == ada.id
    with pytest.raises(WrongCode):
        sign_in(session, vault, recovery_codes[0])
    renewed = second_factor.renew_recovery_codes(session, ada.id)
    with pytest.raises(WrongCode):
        sign_in(session, vault, recovery_codes[1])
    assert sign_in(session, vault, renewed[0]).id == ada.id


def test_a_wrong_password_is_wrong_whatever_the_code(
    session: Session, vault: Vault, app: pyotp.TOTP, recovery_codes: list[str]
) -> None:
    for code in (at(app, 0), recovery_codes[0], ""):
        with pytest.raises(Unauthorized) as refused:
            accounts.authenticate(session, "ada", "wrong", SecondStep(vault, code))
        assert not isinstance(refused.value, CodeNeeded | WrongCode)
    assert sign_in(session, vault, at(app, 0))


@pytest.mark.usefixtures("recovery_codes")
def test_the_second_step_counts_in_the_epoch_of_the_first(
    session: Session, vault: Vault, ada: AccountView, app: pyotp.TOTP
) -> None:
    accounts.change_password(session, ada.id, OLD, "another-long-one-7y")
    with pytest.raises(Unauthorized):
        accounts.take_second_step(session, ada.id, 0, SecondStep(vault, at(app, 0)))
    assert accounts.take_second_step(session, ada.id, 1, SecondStep(vault, at(app, 0))).id == ada.id


def test_turned_off_it_can_be_set_up_anew(
    session: Session, vault: Vault, ada: AccountView, recovery_codes: list[str]
) -> None:
    with pytest.raises(Conflict):
        second_factor.begin_setup(session, vault, ada.id)
    second_factor.turn_off(session, ada.id)
    assert accounts.authenticate(session, "ada", OLD).id == ada.id
    assert second_factor.pending_setup(session, vault, ada.id) is None
    assert second_factor.begin_setup(session, vault, ada.id).uri.startswith("otpauth://totp/FlowForge:ada?secret=")


def test_where_it_is_required_nobody_signs_in_without_one(session: Session, vault: Vault, ada: AccountView) -> None:
    with pytest.raises(Forbidden):
        accounts.sign_in(session, "ada", OLD, timedelta(days=1), "", SecondStep(vault, "", is_required=True))


def test_its_secret_is_sealed_and_rotated_like_others(
    session: Session, engine: Engine, vault: Vault, app: pyotp.TOTP, recovery_codes: list[str]
) -> None:
    old, new = new_key(), new_key()
    with engine.begin() as connection:
        sealed = jsonio.dumps(Vault([old]).seal(app.secret)).decode()
        stored = str(connection.scalar(text("SELECT totp_secret FROM auth.users")))
        assert app.secret not in stored
        hashes = connection.scalars(text("SELECT code_hash FROM auth.recovery_codes")).all()
        assert recovery_codes[0].encode() not in b"".join(map(bytes, hashes))
        connection.execute(text("UPDATE auth.users SET totp_secret = CAST(:sealed AS jsonb)"), {"sealed": sealed})
    assert reseal(engine, Vault([new, old])) == 1
    assert sign_in(session, Vault([new]), at(app, 0))
