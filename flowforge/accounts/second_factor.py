"""Second factor: one-time passwords of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

A code counts once, and so does a recovery code. The app's secret is sealed; of recovery codes only hashes are stored.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from pyotp import random_base32
from pyotp.totp import TOTP
from pyotp.utils import strings_equal
from sqlalchemy import delete
from sqlalchemy.orm import Session

from flowforge.accounts import sign_ins
from flowforge.accounts.views import AccountView, account_view
from flowforge.audit.actions import Action
from flowforge.audit.recording import record
from flowforge.db.tables import RecoveryCode, User
from flowforge.errors import Conflict, Forbidden, Invalid, NotFound, Problem, Unauthorized
from flowforge.secrets import Vault
from flowforge.sentences import sentence

ISSUER = "FlowForge"
RECOVERY_CODES = 10
_RECOVERY_BYTES = 10
_STEPS_APART = 1
"""Steps of 30 seconds by which the app's clock may differ."""


class CodeNeeded(Unauthorized):
    """The password is right, and a code of the second factor is needed beside it."""

    problems = (Problem("/code", sentence("is needed: this account has a second factor")),)

    def __init__(self, account: AccountView) -> None:
        super().__init__("a code of the second factor is needed")
        self.account = account


class WrongCode(Unauthorized):
    """The code is none, is over, or was used before."""

    problems = (Problem("/code", sentence("is wrong, is over, or was used before")),)

    def __init__(self) -> None:
        super().__init__("the code of the second factor is wrong, is over, or was used before")


@dataclass(frozen=True, slots=True)
class SecondStep:
    """Proof that a sign-in brings beside the password. `is_required`: accounts without a second factor are refused."""

    vault: Vault
    code: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Setup:
    """The secret for an authenticator app; `uri` holds all that the app needs, for a QR code."""

    secret: str
    uri: str


def _is_on(user: User) -> bool:
    return user.totp_confirmed_at is not None


def require(session: Session, user: User, step: SecondStep | None) -> None:
    """Takes the second step of a sign-in. Leaves the transaction to the caller, who holds the account's lock, unless it
    raises CodeNeeded, WrongCode, or Forbidden where a second factor is required and there is none."""
    if not _is_on(user):
        if step and step.is_required:
            session.rollback()
            raise Forbidden(sentence("this server requires a second factor; sign in to the dashboard to set one up"))
    elif not (step and step.code):
        proven = account_view(sign_ins.as_proven(session, user))
        session.commit()
        raise CodeNeeded(proven)
    elif not (_use_code(user, step) or _use_recovery_code(session, user.id, step.code)):
        session.rollback()
        raise WrongCode


def begin_setup(session: Session, vault: Vault, user_id: UUID) -> Setup:
    """Gives a new secret, which counts once it is confirmed. Commits. Raises Conflict where a second factor is on."""
    user = _lock_user(session, user_id)
    _refuse_if_on(session, user)
    secret = random_base32()
    user.totp_secret = vault.seal(secret)
    session.commit()
    return _setup(user, secret)


def pending_setup(session: Session, vault: Vault, user_id: UUID) -> Setup | None:
    """The setup that was begun and is not confirmed yet."""
    user = session.get(User, user_id)
    if user is None or user.totp_secret is None or _is_on(user):
        return None
    return _setup(user, vault.open(user.totp_secret))


def confirm_setup(session: Session, user_id: UUID, step: SecondStep) -> Sequence[str]:
    """Turns the second factor on, for a code that shows that the app has the secret; returns recovery codes, which
    cannot be shown again. Commits. Raises Invalid naming `/code`, and Conflict where there is no setup."""
    user = _lock_user(session, user_id)
    _refuse_if_on(session, user)
    if user.totp_secret is None or not _use_code(user, step):
        session.rollback()
        raise Invalid.at("/code", sentence("is wrong, or is over; the clocks of both sides must agree"))
    user.totp_confirmed_at = datetime.now(UTC)
    record(session, Action.SECOND_FACTOR_ON, by=user_id)
    return _new_recovery_codes(session, user_id)


def renew_recovery_codes(session: Session, user_id: UUID) -> Sequence[str]:
    """Replaces the recovery codes. Commits. Raises Conflict where no second factor is on."""
    if not _is_on(_lock_user(session, user_id)):
        session.rollback()
        raise Conflict(sentence("there is no second factor"))
    record(session, Action.RECOVERY_CODES_RENEWED, by=user_id)
    return _new_recovery_codes(session, user_id)


def turn_off(session: Session, user_id: UUID) -> None:
    """Commits. Raises NotFound."""
    user = _lock_user(session, user_id)
    user.totp_secret = user.totp_confirmed_at = None
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    record(session, Action.SECOND_FACTOR_OFF, account=user_id)
    session.commit()


def _use_code(user: User, step: SecondStep) -> bool:
    """Whether it is a code of now, later than the last one that was used (RFC 6238, section 5.2)."""
    totp, code = TOTP(step.vault.open(user.totp_secret)), "".join(step.code.split())
    now = totp.timecode(datetime.now(UTC))
    for number in range(now - _STEPS_APART, now + _STEPS_APART + 1):
        if number > user.totp_last_step and strings_equal(totp.generate_otp(number), code):
            user.totp_last_step = number
            return True
    return False


def _use_recovery_code(session: Session, user_id: UUID, code: str) -> bool:
    this = delete(RecoveryCode).where(RecoveryCode.user_id == user_id, RecoveryCode.code_hash == _digest(code))
    return session.scalar(this.returning(RecoveryCode.user_id)) is not None


def _new_recovery_codes(session: Session, user_id: UUID) -> Sequence[str]:
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user_id, code_hash=_digest(code)) for code in codes)
    session.commit()
    return codes


def _recovery_code() -> str:
    """80 random bits, in four groups."""
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _digest(code: str) -> bytes:
    """However it is written: blanks, hyphens and case do not count."""
    letters = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(letters.encode("utf-8", "surrogatepass")).digest()


def _lock_user(session: Session, user_id: UUID) -> User:
    user = sign_ins.lock_account(session, user_id)
    if user is None:
        session.rollback()
        raise NotFound(sentence("this account does not exist"))
    return user


def _refuse_if_on(session: Session, user: User) -> None:
    if _is_on(user):
        session.rollback()
        raise Conflict(sentence("a second factor is on already"))


def _setup(user: User, secret: str) -> Setup:
    return Setup(secret, TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER))
