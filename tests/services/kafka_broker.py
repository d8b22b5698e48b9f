"""One Apache Kafka broker (KRaft, broker and controller in one) for the tests, from Maven's jars, on free ports."""

from __future__ import annotations

import fcntl
import shutil
import signal
import socket
import subprocess
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from tests.services.processes import start_server
from tests.waiting import eventually

FOLDER = Path(__file__).parent / "kafka"
JARS = FOLDER / "target" / "jars"
_FETCH_SECONDS = 300


class NoBroker(RuntimeError):
    """Java, Maven or the jars are not to be had; the text says which."""


@contextmanager
def running_kafka(folder: Path, **properties: str) -> Iterator[str]:
    """The broker's address. `properties` win over the usual ones, dots written as underscores. Raises NoBroker."""
    fetch_jars()
    port, controller = free_ports(2)
    file = folder / "server.properties"
    own = "".join(f"{name.replace('_', '.')}={value}\n" for name, value in properties.items())
    file.write_text(_properties(folder, port, controller) + own)
    cluster = urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    log = (folder / "broker.log").open("wb")
    with log:
        # With an equals sign, because an id may begin with a dash.
        formatting = ("format", f"--cluster-id={cluster}", "-c", str(file))
        _java("kafka.tools.StorageTool", *formatting, log=log).wait(60)
        broker = _java("kafka.Kafka", str(file), log=log)
        try:
            eventually(lambda: answers(port, broker), every=0.2)
            yield f"127.0.0.1:{port}"
        finally:
            broker.kill()  # its data are thrown away
            broker.wait(30)


def fetch_jars() -> None:
    """Raises NoBroker."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            raise NoBroker(f"{tool} is not installed")
    FOLDER.joinpath("target").mkdir(exist_ok=True)
    with FOLDER.joinpath("target", ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # parallel test processes fetch once
        if (JARS / ".complete").exists():
            return
        command = ["mvn", "-q", "-B", "-f", str(FOLDER / "pom.xml"), "dependency:copy-dependencies"]
        fetched = subprocess.run(
            [*command, f"-DoutputDirectory={JARS}"], capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False
        )
        if fetched.returncode != 0:
            raise NoBroker(f"Maven could not fetch the broker: {fetched.stdout[-500:]}")
        (JARS / ".complete").touch()


def _java(main: str, *arguments: str, log: IO[bytes]) -> subprocess.Popen[bytes]:
    memory = ["-Xmx384m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    quiet = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
    command = ["java", *memory, *quiet, "-cp", f"{JARS}/*", main, *arguments]
    return start_server(command, log, stop_signal=signal.SIGKILL)


def _properties(folder: Path, port: int, controller: int) -> str:
    return f"""
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder / "data"}
num.partitions=3
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for probe in sockets:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in sockets]
    for probe in sockets:
        probe.close()
    return ports


def answers(port: int, broker: subprocess.Popen[bytes]) -> bool:
    if broker.poll() is not None:
        raise NoBroker(f"the broker ended with {broker.returncode}")
    try:
        KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", bootstrap_timeout_ms=2000).close()
    except KafkaError:
        return False
    return True
