"""A database that an original implementation left behind, taken over by us."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from flowforge.adoption import take_over_database
from flowforge.settings import Settings
from flowforge.wiring import Backends
from tests.migrations.originals import SHAPES, Original, leave_behind
from webapp import create_app


@pytest.fixture(params=sorted(SHAPES))
def original(request: pytest.FixtureRequest, empty_database_url: str) -> Original:
    """Not migrated yet."""
    return leave_behind(empty_database_url, request.param)


@pytest.fixture
def ours(original: Original, settings: Settings) -> Iterator[Backends]:
    """Backends on the original's database, after the take-over."""
    backends = Backends(settings.model_copy(update={"postgres_url_setting": original.url}), "test")
    take_over_database(backends.settings)
    yield backends
    backends.close()


@pytest.fixture
def client(ours: Backends) -> FlaskClient:
    return create_app(backends=ours).test_client(use_cookies=False)
