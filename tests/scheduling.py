"""The order of the tests, and how parallel test processes (pytest-xdist) share them out."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadFileScheduling

_ONE_PROCESS = ("tests/browser/", "tests/bus/")
"""Their tests share servers that take longer to start than most of them to run: the product and Chromium, Kafka."""
_ANY_PROCESS = ("tests/browser/test_all_pages.py",)
"""Their tests share nothing and take long, each of them."""


class Scheduling(LoadFileScheduling):
    """Hands out whole files, whole folders of `_ONE_PROCESS`, and single tests of `_ANY_PROCESS`."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_ANY_PROCESS):
            return nodeid
        folders = (folder for folder in _ONE_PROCESS if nodeid.startswith(folder))
        return next(folders, None) or super()._split_scope(nodeid)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Scheduling:
    return Scheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts what takes long first, so that no process is left with it at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
