"""Ada, whose account the tests here are about."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from flowforge.accounts import registration
from flowforge.accounts.registration import NewAccount
from flowforge.accounts.views import AccountView

OLD = "the old password"


@pytest.fixture
def ada(session: Session) -> AccountView:
    return registration.add(session, NewAccount("ada", "ada@example.test", OLD))
