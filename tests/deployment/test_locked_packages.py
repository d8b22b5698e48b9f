"""What is installed is known to the byte: requirements.lock, and the bill of materials made from it."""

from __future__ import annotations

import json
import re
from importlib.metadata import distribution
from pathlib import Path

import pytest
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.sbom import LockedPackage, bill_of_materials, locked_packages

PROJECT = Path(__file__).resolve().parents[2]
LOCK = (PROJECT / "requirements.lock").read_text()
NODE_LOCK = (PROJECT / "requirements-node.lock").read_text()
DOCS_LOCK = (PROJECT / "requirements-docs.lock").read_text()


@pytest.fixture(scope="module")
def locked() -> dict[str, LockedPackage]:
    """The packages that are installed on this machine."""
    return {package.name: package for package in locked_packages(LOCK) if package.applies_here}


def wanted() -> list[Requirement]:
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_every_dependency_is_locked_at_its_version(locked: dict[str, LockedPackage]) -> None:
    pinned = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in wanted()}
    assert pinned.items() <= {name: package.version for name, package in locked.items()}.items(), "make lock"


def test_what_dependencies_need_is_locked_too(locked: dict[str, LockedPackage]) -> None:
    unseen = [canonicalize_name(one.name) for one in wanted()]
    seen = set()
    while unseen:
        name = unseen.pop()
        seen.add(name)
        needed = [Requirement(text) for text in distribution(name).requires or []]
        applying = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
        unseen += [canonicalize_name(one.name) for one in applying if canonicalize_name(one.name) not in seen]
    assert seen - locked.keys() == set(), "make lock"


@pytest.mark.parametrize(
    "lock", [LOCK, NODE_LOCK, DOCS_LOCK], ids=["requirements", "requirements-node", "requirements-docs"]
)
def test_every_package_has_hashes(lock: str) -> None:
    packages = list(locked_packages(lock))
    assert len(packages) == len(re.findall(r"(?m)^[a-z]", lock)) > 0
    assert [package.name for package in packages if not package.sha256] == []
    assert all(re.fullmatch("[0-9a-f]{64}", value) for package in packages for value in package.sha256)


@pytest.mark.parametrize(
    "lock", [LOCK, NODE_LOCK, DOCS_LOCK], ids=["requirements", "requirements-node", "requirements-docs"]
)
def test_locks_name_no_place_to_fetch_from(lock: str) -> None:
    assert "://" not in lock
    assert not re.search(r"(?m)^--(extra-)?(index|find-links|trusted)", lock)


def test_npm_is_locked_at_its_version() -> None:
    wanted = (PROJECT / "requirements-node.txt").read_text().split()[-1]
    assert wanted in [f"{package.name}=={package.version}" for package in locked_packages(NODE_LOCK)]


def test_what_builds_the_help_is_locked_beside_what_runs() -> None:
    """Both go into one environment, so what both need has to have one version."""
    run = {package.name: package.version for package in locked_packages(LOCK)}
    docs = {package.name: package.version for package in locked_packages(DOCS_LOCK)}
    assert {name: version for name, version in docs.items() if run.get(name, version) != version} == {}


@pytest.mark.parametrize("file", ["Makefile", "Dockerfile"])
def test_only_what_is_locked_is_installed_to_run(file: str) -> None:
    assert "--require-hashes -r requirements.lock" in (PROJECT / file).read_text()


def test_the_bill_of_materials_is_valid_and_whole(locked: dict[str, LockedPackage]) -> None:
    bom = bill_of_materials()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(JsonV1Dot6(bom).output_as_string()) is None
    names = {component.name for component in bom.components}
    wanted_by_browsers = json.loads((PROJECT / "package.json").read_text())["dependencies"]
    packages = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    installed = {path for path, package in packages.items() if path and not package.get("dev")}
    assert {f"node_modules/{name}" for name in wanted_by_browsers} <= installed
    help_builders = {package.name for package in locked_packages(DOCS_LOCK) if package.applies_here}
    assert locked.keys() | help_builders | {path.rpartition("/")[2] for path in installed} == names
    assert [component.name for component in bom.components if not component.hashes] == []
    assert [component.name for component in bom.components if not component.licenses] == []
