"""Writes what `make run` installs as a CycloneDX bill of materials: Python packages of the lock files that apply to
this machine, and the browser libraries of package-lock.json, with hashes and licences."""

from __future__ import annotations

import base64
import json
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
_LICENSE_CLASSIFIER = "License :: OSI Approved :: "


@dataclass(frozen=True, slots=True)
class LockedPackage:
    """An entry of requirements.lock."""

    requirement: Requirement
    sha256: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        return str(self.requirement.specifier).removeprefix("==")

    @property
    def applies_here(self) -> bool:
        return self.requirement.marker is None or self.requirement.marker.evaluate()


def main(target: Path) -> None:
    target.write_text(JsonV1Dot6(bill_of_materials()).output_as_string(indent=2) + "\n")


def bill_of_materials() -> Bom:
    project = Component(name="flowforge", version=_version(), type=ComponentType.APPLICATION)
    bom = Bom(components=[*_python_components(), *_browser_components()])
    bom.metadata.component = project
    bom.register_dependency(project, bom.components)
    return bom


def locked_packages(text: str) -> Iterator[LockedPackage]:
    """Reads requirements.lock: `name==version ; marker \\`, then a line `--hash=sha256:...` for each file."""
    for entry in re.split(r"\n(?=[a-z0-9])", text):
        requirement, *hashes = re.sub(r"(?m)^#.*\n?", "", entry).replace("\\\n", "").split("--hash=sha256:")
        if requirement.strip():
            yield LockedPackage(Requirement(requirement.strip()), tuple(value.strip() for value in hashes))


def _python_components() -> Iterator[Component]:
    """Those that run, and those that build the help; where both need one, it has one version."""
    locks = ("requirements.lock", "requirements-docs.lock")
    found = [package for lock in locks for package in locked_packages((PROJECT / lock).read_text())]
    packages = {package.name: package for package in found if package.applies_here}
    for package in packages.values():
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=value) for value in package.sha256]
        yield _component("pypi", None, package.name, package.version, _python_license(package.name), hashes)


def _browser_components() -> Iterator[Component]:
    lock = json.loads((PROJECT / "package-lock.json").read_text())
    for path, package in lock["packages"].items():
        if path and not package.get("dev"):
            scope, _, name = path.removeprefix("node_modules/").rpartition("/")
            algorithm, _, digest = package["integrity"].partition("-")
            assert algorithm == "sha512"
            hashes = [HashType(alg=HashAlgorithm.SHA_512, content=base64.b64decode(digest).hex())]
            yield _component("npm", scope or None, name, package["version"], package.get("license"), hashes)


def _component(
    registry: str, scope: str | None, name: str, version: str, license_: str | None, hashes: Iterable[HashType]
) -> Component:
    url = PackageURL(registry, scope, name, version)
    licenses = [LicenseFactory().make_from_string(license_)] if license_ else []
    return Component(
        name=name, group=scope, version=version, purl=url, bom_ref=str(url), licenses=licenses, hashes=hashes
    )


def _python_license(name: str) -> str | None:
    """Returns what the installed package says of itself, the exact form first."""
    try:
        about = distribution(name).metadata
    except PackageNotFoundError:
        return None
    classifiers = [text for text in about.get_all("Classifier", []) if text.startswith(_LICENSE_CLASSIFIER)]
    named = about.get("License-Expression") or (about.get("License") or "").strip()
    if named and "\n" not in named:
        return str(named)
    return classifiers[0].removeprefix(_LICENSE_CLASSIFIER) if classifiers else None


def _version() -> str:
    version: str = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    return version


if __name__ == "__main__":
    main(Path(sys.argv[1]))
