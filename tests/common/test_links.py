"""Links that hold all there is to know about them: what is out there goes on working, and nobody else makes one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from flowforge.files.links import FileLinks
from flowforge.resume_links import ResumeLinks, WaitKey

ID = UUID("01931b2c-7d3e-7f4a-9b5c-6d7e8f901234")
WAIT = WaitKey(ID, 3, 70_000)
END = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
BEFORE_THE_END = END - timedelta(seconds=1)
FILE_TOKEN = "AZMbLH0-f0qbXG1-j5ASNAAAAABpp72_CaS1T2MgTsBVsVgwpE7YpQ"
RESUME_TOKEN = "AZMbLH0-f0qbXG1-j5ASNAADAAERcBmmTMy8qzXphpb7Stz5yVo"

files = FileLinks("a key", "https://flows.example")
waits = ResumeLinks("a key", "https://flows.example")


def test_links_are_what_they_have_always_been() -> None:
    assert files.make(ID, END).url == f"https://flows.example/shared-files/{FILE_TOKEN}"
    assert waits.url(WAIT) == f"https://flows.example/resume/{RESUME_TOKEN}"


def test_links_that_were_sent_out_are_read() -> None:
    assert files.read(FILE_TOKEN, BEFORE_THE_END) == ID
    assert waits.read(RESUME_TOKEN) == WAIT


def test_a_link_to_a_file_ends() -> None:
    assert files.read(FILE_TOKEN, END) is None


@pytest.mark.parametrize(
    "token",
    [RESUME_TOKEN, "B" + FILE_TOKEN[1:], FILE_TOKEN[:-2], FILE_TOKEN[:20], FILE_TOKEN + "AAAA", "A", "", "é"],
)
def test_nothing_else_opens_a_file(token: str) -> None:
    assert files.read(token, BEFORE_THE_END) is None


@pytest.mark.parametrize(
    "token", [FILE_TOKEN, "B" + RESUME_TOKEN[1:], RESUME_TOKEN[:-2], RESUME_TOKEN + "AAAA", "A", "é"]
)
def test_nothing_else_resumes_a_wait(token: str) -> None:
    assert waits.read(token) is None


def test_another_key_makes_other_links() -> None:
    assert FileLinks("another key", "https://flows.example").read(FILE_TOKEN, BEFORE_THE_END) is None
    assert ResumeLinks("another key", "https://flows.example").read(RESUME_TOKEN) is None
