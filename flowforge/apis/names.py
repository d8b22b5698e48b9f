"""Names of operations: ids that steps have for them, and titles for people."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from flowforge.apis.schemas.keywords import one_line

_LONGEST_ID = 80
_LONGEST_SUMMARY = 80
_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_.]+")
_WORD = re.compile("[A-ZÀ-Þ]+(?![a-zß-ÿ])[0-9]*|[A-ZÀ-Þ]?[a-zß-ÿ]+[0-9]*|[0-9]+|[^\\W\\d_]+")
_ABBREVIATION = re.compile("[A-ZÀ-Þ]{2,}[0-9]*")
_VERSION = re.compile(r"v?[0-9][0-9.\-]*|api|rest")


def operation_ids(named: Sequence[tuple[str, str, str]]) -> list[str]:
    """An id for each method, path and declared id: the declared one where it is there and nobody else has it, else one
    of method and path. They are unique, and do not depend on the order of the file."""
    cleaned = [_clean(declared) for _, _, declared in named]
    count = Counter(cleaned)
    wanted = [
        own if own and count[own] == 1 else _clean(f"{method.lower()}-{path}")
        for own, (method, path, _) in zip(cleaned, named, strict=True)
    ]
    taken = Counter(wanted)
    return [
        id_ if id_ and taken[id_] == 1 else _with_digest(id_, f"{method} {path}")
        for id_, (method, path, _) in zip(wanted, named, strict=True)
    ]


def title_of(summary: str, declared: str, method: str, path: str) -> str:
    """The first sentence of the summary, unless it is long; or the words of the declared id; or method and path."""
    sentence = one_line(summary.strip().partition("\n")[0].partition(". ")[0]).rstrip(".")
    if sentence and len(sentence) <= _LONGEST_SUMMARY:
        return sentence
    return in_words(declared) or sentence or one_line(f"{method.upper()} {path}")


def in_words(name: str) -> str:
    """`repos/list-for-org` as `Repos list for org`, `listPets` as `List pets`; empty where there is no word."""
    words = _WORD.findall(name[:300])
    plain = " ".join(word if _ABBREVIATION.fullmatch(word) else word.lower() for word in words)
    return one_line(plain[:1].upper() + plain[1:])


def tag_of_path(path: str) -> str:
    """The group of an operation without a tag: the first part of its path that says something."""
    parts = [part for part in path.split("/") if part and "{" not in part]
    telling = next((part for part in parts if not _VERSION.fullmatch(part)), "")
    return one_line(telling, 60) or "Other"


def _clean(name: str) -> str:
    cleaned = _NOT_IN_IDS.sub("-", name.strip()[:1_000]).strip("-.")
    return cleaned if len(cleaned) <= _LONGEST_ID else _with_digest(cleaned, name)


def _with_digest(id_: str, told_apart_by: str) -> str:
    digest = hashlib.sha256(told_apart_by.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{id_[: _LONGEST_ID - 9]}-{digest}"
