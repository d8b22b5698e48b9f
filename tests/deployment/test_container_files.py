"""The container files can't be started everywhere; here they are held against the code they start."""

from __future__ import annotations

import importlib.util
import json
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic.fields import FieldInfo

from flowforge.embedded import launcher
from flowforge.embedded.programs import listen_addresses, web_command
from flowforge.settings import Settings
from flowforge.settings_reference import env_example, names

PROJECT = Path(__file__).resolve().parents[2]
OURS = ("web", "orchestrator", "executor", "log-sink", "jobs", "migrate")
DATABASES = ("postgres", "valkey", "mongo", "kafka")
SECRETS = {"POSTGRES_PASSWORD", "VALKEY_PASSWORD", "JWT_SECRET", "SESSION_SECRET", "FLOWFORGE_SECRET_KEYS"}
OF_COMPOSE_ITSELF = {"VALKEY_PASSWORD", "WORKER_STOP_GRACE"}
"""Variables of .env that only docker-compose.yml reads."""
FIXED_BY_COMPOSE = {
    *("POSTGRES_URL", "SPRING_DATASOURCE_URL", "POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PARAMS"),
    *("REDIS_URL", "MONGO_URI", "KAFKA_BROKERS", "HOST", "PORT", "FLOWFORGE_HOME"),
    *("STREAM_MAX_BYTES", "LEGACY_WEBHOOK_PORT"),
}
"""Settings that say where the servers of docker-compose.yml are, or that it has no use for."""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((PROJECT / "docker-compose.yml").read_text())


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (PROJECT / "Dockerfile").read_text()


@pytest.fixture(scope="module")
def readable() -> set[str]:
    """Every environment variable the code reads."""
    return {name for field in Settings.model_fields.values() for name in names(field)}


def test_env_example_lists_every_setting_with_its_meaning() -> None:
    assert (PROJECT / ".env.example").read_text().rstrip() == env_example().rstrip(), (
        "python -m flowforge settings > .env.example"
    )
    undocumented = [name for name, field in Settings.model_fields.items() if not field.description]
    assert undocumented == []


def test_env_example_states_the_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, readable: set[str]) -> None:
    for name in readable:
        monkeypatch.delenv(name, raising=False)
    uncommented = re.sub(r"(?m)^#(?=[A-Z_]+=)", "", env_example())
    (tmp_path / "env").write_text(uncommented)

    assert Settings(_env_file=tmp_path / "env").model_dump() == Settings(_env_file=None).model_dump()


def test_env_example_holds_no_secret() -> None:
    values = dict(re.findall(r"(?m)^#([A-Z_]+)=(.*)$", env_example()))
    assert {
        name: value for name, value in values.items() if re.search("SECRET_KEY|PASSWORD|_SECRET$", name) and value
    } == {}


@pytest.mark.parametrize("service", OURS)
def test_compose_sets_only_what_the_code_reads(compose: dict[str, Any], readable: set[str], service: str) -> None:
    assert set(compose["services"][service]["environment"]) - readable == set()


def test_compose_asks_only_for_variables_the_code_reads(readable: set[str]) -> None:
    asked = set(re.findall(r"\$\{([A-Z_]+)", (PROJECT / "docker-compose.yml").read_text()))
    assert asked - readable == OF_COMPOSE_ITSELF


def test_compose_passes_on_every_other_setting_of_env(compose: dict[str, Any]) -> None:
    passed = set().union(*(compose["services"][service]["environment"] for service in OURS))
    wanted = {("JWT_SECRET" if "JWT_SECRET" in names(field) else names(field)[0]) for field in _fields()}
    assert wanted - passed - FIXED_BY_COMPOSE == set(), "to be named in docker-compose.yml, where it is used"


@pytest.mark.parametrize("service", OURS)
def test_a_database_of_env_does_not_replace_the_one_of_compose(compose: dict[str, Any], service: str) -> None:
    environment = compose["services"][service]["environment"]
    assert environment["POSTGRES_HOST"] == "postgres:5432"
    assert "env_file" not in compose["services"][service]
    assert environment.keys() & {"POSTGRES_URL", "SPRING_DATASOURCE_URL", "POSTGRES_PARAMS"} == set()


def test_secrets_reach_only_the_containers_that_use_them(compose: dict[str, Any]) -> None:
    def holders(secret: str) -> set[str]:
        return {service for service in OURS if secret in compose["services"][service]["environment"]}

    assert holders("SESSION_SECRET") == {"web"}
    assert holders("METRICS_TOKEN") == {"web"}
    assert holders("FLOWFORGE_SECRET_KEYS") == set(OURS) - {"log-sink"}
    assert holders("SMTP_PASSWORD") == {"web", "executor", "jobs"}


def test_webhook_addresses_have_the_published_port(compose: dict[str, Any]) -> None:
    web = compose["services"]["web"]
    assert web["environment"]["WEBHOOK_BASE_URL"] == "${WEBHOOK_BASE_URL:-http://localhost:${PORT:-8080}}"
    assert web["ports"] == ["127.0.0.1:${PORT:-8080}:8080"]


def test_containers_may_do_no_more_than_they_need(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is (name != "kafka"), name
    outside = {name for name, service in compose["services"].items() if "frontend" in service["networks"]}
    assert outside == {"web", "executor", "jobs"}


def test_what_handles_files_holds_them_on_disk_on_their_way(compose: dict[str, Any]) -> None:
    handling = [each for each in compose["services"].values() if any("files:" in on for on in each.get("volumes", ()))]
    assert len(handling) == 3
    for service in handling:
        assert "temporary:/tmp" in service["volumes"]
        assert not [mount for mount in service["tmpfs"] if mount.startswith("/tmp")]


def test_images_of_others_are_pinned_by_digest(compose: dict[str, Any], dockerfile: str) -> None:
    images = [compose["services"][name]["image"] for name in DATABASES]
    stages = re.findall(r"(?m)^FROM \S+ AS (\w+)$", dockerfile)
    images += [image for image in re.findall(r"(?m)^FROM (\S+)", dockerfile) if image not in stages]
    assert [image for image in images if not re.search(r":[\w.-]+@sha256:[0-9a-f]{64}$", image)] == []


def test_valkey_asks_for_a_password(compose: dict[str, Any]) -> None:
    command = compose["services"]["valkey"]["command"]
    password = command[command.index("--requirepass") + 1]
    assert password.startswith("${VALKEY_PASSWORD:?")
    assert f"redis://:{password}@valkey:6379/0" == compose["services"]["web"]["environment"]["REDIS_URL"]


def test_compose_points_every_process_at_the_full_stack(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in compose["services"]["executor"]["environment"].items():
        if value is not None:
            with_defaults = re.sub(r"\$\{\w+:-([^${}]+)\}", r"\1", value)
            monkeypatch.setenv(name, re.sub(r"\$\{.*\}", "x" * 40, with_defaults))
    settings = Settings(_env_file=None)
    assert settings.postgres_url == f"postgresql://dev:{'x' * 40}@postgres:5432/devdb"
    assert settings.redis_url == f"redis://:{'x' * 40}@valkey:6379/0"
    assert settings.kafka_brokers == ["kafka:9092"]
    assert settings.mongo_uri == "mongodb://mongo:27017/flowforge_logs"


def test_compose_has_no_default_for_any_secret(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if variable in SECRETS or ("PASSWORD" in variable and value is not None):
                assert re.fullmatch(rf"\$\{{{variable}:\?[^}}]+\}}", value), f"{name}: {variable}"


def test_fresh_secrets_are_accepted_and_complete(tmp_path: Path) -> None:
    from flowforge.home import load_keys
    from flowforge.rotation import new_environment
    from flowforge.secrets import Vault

    (tmp_path / "env").write_text(new_environment())
    settings = Settings(_env_file=tmp_path / "env", home=tmp_path / "home")
    vault = Vault(load_keys(settings).vault)

    assert vault.open(vault.seal("kept")) == "kept"
    assert {line.partition("=")[0] for line in new_environment().splitlines()} == SECRETS
    assert not (tmp_path / "home").exists(), "everything came from the environment"


@pytest.mark.parametrize("service", OURS)
def test_compose_commands_exist(compose: dict[str, Any], service: str) -> None:
    python, dash_m, module, *arguments = compose["services"][service]["command"]
    assert (python, dash_m) == ("python", "-m")
    assert importlib.util.find_spec(module) is not None
    if module == "flowforge":
        _accepts(arguments)
    elif module == "workers.host":
        assert arguments == [service]
        assert service in runpy.run_module("workers.host")["CONSUMERS"]


def test_health_checks_of_the_image_and_of_compose_exist(compose: dict[str, Any], dockerfile: str) -> None:
    checks = [compose["services"][name]["healthcheck"].get("test") for name in OURS]
    checks.append(["CMD", *json.loads(re.search(r"HEALTHCHECK .* CMD (\[.*\])", dockerfile)[1])])
    for check in filter(None, checks):
        assert check[:4] == ["CMD", "python", "-m", "flowforge"]
        _accepts(check[4:])


def _fields() -> Iterable[FieldInfo]:
    return Settings.model_fields.values()


def _accepts(arguments: list[str]) -> None:
    from flowforge.__main__ import _parser

    assert callable(_parser().parse_args(arguments).command)


def test_every_worker_kind_scales_by_itself(compose: dict[str, Any]) -> None:
    for name in ("web", "orchestrator", "executor", "log-sink", "jobs"):
        assert compose["services"][name]["deploy"]["replicas"] >= 1
        assert "container_name" not in compose["services"][name]


def test_services_wait_for_healthy_databases_and_finished_migrations(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in OURS[:-1]:
        awaited = {other: how["condition"] for other, how in services[name]["depends_on"].items()}
        assert awaited == {
            "migrate": "service_completed_successfully",
            "valkey": "service_healthy",
            "kafka": "service_healthy",
            "mongo": "service_healthy",
        }
    assert services["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert all("test" in services[name]["healthcheck"] for name in DATABASES)


def test_databases_keep_their_data_and_are_not_published(compose: dict[str, Any]) -> None:
    for name in DATABASES:
        service = compose["services"][name]
        assert "ports" not in service
        assert service["networks"] == ["backend"]
        assert {volume.partition(":")[0] for volume in service["volumes"]} <= set(compose["volumes"])
    assert compose["networks"]["backend"]["internal"] is True


def test_kafka_runs_without_zookeeper(compose: dict[str, Any]) -> None:
    kafka = compose["services"]["kafka"]["environment"]
    assert kafka["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert not any("ZOOKEEPER" in name for name in kafka)


def test_image_runs_as_an_ordinary_user_and_holds_every_source_folder(dockerfile: str) -> None:
    assert re.findall(r"(?m)^USER (\S+)", dockerfile)[-1] == "flowforge"
    copied = set(re.findall(r"(?m)^COPY (\w+) \1$", dockerfile))
    application = {"flowforge", "webapp", "workers", "migrations", "templates", "static", "translations"}
    assert copied == application | {"docs", "examples"}
    admitted = set(re.findall(r"(?m)^!(\S+)$", (PROJECT / ".dockerignore").read_text()))
    of_dependencies = {"requirements.lock", "requirements-docs.lock", "package.json", "package-lock.json"}
    of_builders = {"mkdocs.yml", *(f"scripts/{name}.py" for name in ("help_reference", "help_site", "vendor_static"))}
    assert copied | of_dependencies | of_builders == admitted


def test_image_holds_the_browser_libraries(dockerfile: str, tmp_path: Path) -> None:
    """They come from the script that `make run` calls, which works in the folder of the image as it stands there."""
    stage = _stage(dockerfile, "vendor", tmp_path)
    vendor = json.loads((PROJECT / "package.json").read_text())["vendor"]
    for source in vendor:
        installed = tmp_path / "node_modules" / source
        installed.parent.mkdir(parents=True, exist_ok=True)
        installed.write_text('import { tags } from "@lezer/highlight";')
    command = re.search(r"(?m)^RUN (python .*)$", stage)[1].replace("python", sys.executable)
    subprocess.run(command.split(), cwd=tmp_path, check=True)
    assert all((tmp_path / "static" / "vendor" / target).is_file() for target in vendor.values())
    assert 'from "./lezer-highlight.js"' in (tmp_path / "static" / "vendor" / "codemirror" / "language.js").read_text()
    assert "COPY --from=vendor /build/static/vendor static/vendor\n" in dockerfile


def test_image_holds_the_help(dockerfile: str, tmp_path: Path) -> None:
    """It is built of what the stage copies, and of nothing else."""
    stage = _stage(dockerfile, "help", tmp_path)
    command = re.search(r"(?m)^RUN \S*/(python -m scripts.*)$", stage)[1].replace("python", sys.executable)
    subprocess.run(command.split(), cwd=tmp_path, check=True)
    assert (tmp_path / "site" / "search.json").is_file()
    assert "COPY --from=help /build/site site\n" in dockerfile


def _stage(dockerfile: str, name: str, folder: Path) -> str:
    """The lines of a stage. What it copies of the project is copied into the folder."""
    stage = dockerfile.partition(f" AS {name}\n")[2].partition("\nFROM ")[0]
    for sources, target in re.findall(r"(?m)^COPY (?!--from)(\S+(?: \S+)*?) (\S+)$", stage):
        for source in sources.split():
            _copy(PROJECT / source, folder / target)
    return stage


def _copy(source: Path, target: Path) -> None:
    """As COPY of a Dockerfile does it."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def test_the_web_server_alone_answers_on_both_ports() -> None:
    settings = Settings(_env_file=None, host="::1", port=8080, legacy_webhook_port=8083)
    command = web_command(settings, *listen_addresses(settings))
    binds = [value for option, value in pairwise(command) if option == "--bind"]
    assert binds == ["[::1]:8080", "[::1]:8083"]


def test_containers_give_freed_memory_back_as_one_machine_does(dockerfile: str) -> None:
    assert all(f"{name}={value} " in dockerfile for name, value in launcher.ALLOCATOR.items())
