"""Under load, each kind of process is killed once, PostgreSQL too, and Valkey is emptied: every accepted webhook still
leads to exactly one COMPLETED execution, and to its calls."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from redis import Redis

from bench.product import Product, running
from tests.e2e.receiver import Receiver, receiving
from tests.waiting import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

BETWEEN_KILLS_SECONDS = 1.0


class Senders:
    """Threads that call the webhook until they are stopped; they remember which calls were answered with a 200."""

    def __init__(self, product: Product, path: str, count: int = 3) -> None:
        self._url = product.url + path
        self._lock = threading.Lock()
        self._next = 0
        self._stopping = threading.Event()
        self.accepted: set[int] = set()
        self._threads = [threading.Thread(target=self._send) for _ in range(count)]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                order, self._next = self._next, self._next + 1
            try:
                answer = requests.post(self._url, json={"order": order}, timeout=10)
            except requests.RequestException:
                time.sleep(0.05)  # the web process was just killed: no answer, no promise
                continue
            if answer.status_code == 200:
                with self._lock:
                    self.accepted.add(order)
            self._stopping.wait(0.02)


def test_nothing_accepted_is_lost(tmp_path: Path) -> None:
    with (
        receiving() as receiver,
        running(tmp_path / "home", {"STEP_LEASE_SECONDS": "3"}) as product,
    ):
        headers = product.register()
        workflow_id, path = product.webhook_workflow(headers, _two_calls(receiver))
        with Senders(product, path) as senders:
            for kind in _kinds(product):
                time.sleep(BETWEEN_KILLS_SECONDS)
                _kill(product, kind)
            time.sleep(BETWEEN_KILLS_SECONDS)
            _kill_postgres(product)
            _until_accepted(senders)
            _empty_valkey(product)
            time.sleep(BETWEEN_KILLS_SECONDS)
        assert len(senders.accepted) > 50
        eventually(lambda: _all_over(product, headers, workflow_id), seconds=90, every=0.5)
        executions = _executions(product, headers, workflow_id)
    completed = [execution for execution in executions if execution["status"] == "COMPLETED"]
    orders = [execution["triggerPayload"]["body"]["order"] for execution in completed]
    assert len(completed) == len(executions)
    assert len(orders) == len(set(orders))
    assert senders.accepted <= set(orders)
    for step in ("/first", "/second"):
        calls = [call for call in receiver.calls if call.path == step]
        called_for = {call.body["order"] for call in calls}
        keys = {(call.body["order"], call.idempotency_key) for call in calls}
        assert senders.accepted <= called_for
        assert len(keys) == len(called_for), "a repeated call must carry the same Idempotency-Key"


def test_a_loop_in_a_loop_goes_on_where_its_orchestrator_died(tmp_path: Path) -> None:
    with receiving() as receiver, running(tmp_path / "home", {"STEP_LEASE_SECONDS": "3"}) as product:
        headers = product.register()
        workflow_id, path = product.webhook_workflow(headers, [_nested_loops(receiver)])
        assert requests.post(product.url + path, json={}, timeout=10).status_code == 200
        for share in (0.1, 0.3, 0.6):
            eventually(lambda share=share: len(receiver.calls) > share * TEAMS * MEMBERS)
            _kill(product, "orchestrator")
        eventually(lambda: _all_over(product, headers, workflow_id), seconds=90, every=0.5)
        [execution] = _executions(product, headers, workflow_id)
    assert execution["status"] == "COMPLETED", execution["error"]
    results = [team["results"] for team in execution["stepOutputs"]["step_0"]["results"]]
    assert [[one["body"]["n"] for one in team] for team in results] == [
        [team * MEMBERS + member for member in range(MEMBERS)] for team in range(TEAMS)
    ]
    called = [call.body["n"] for call in receiver.calls]
    assert sorted(called) == list(range(TEAMS * MEMBERS)), "no call is lost, and none is made twice"


def test_a_repeated_call_goes_on_where_its_workers_died(tmp_path: Path) -> None:
    with receiving() as receiver, running(tmp_path / "home", {"STEP_LEASE_SECONDS": "3"}) as product:
        headers = product.register()
        workflow_id, path = product.webhook_workflow(headers, [_repeated_call(receiver)])
        assert requests.post(product.url + path, json={}, timeout=10).status_code == 200
        for share, kind in ((0.1, "orchestrator"), (0.3, "executor"), (0.5, "orchestrator"), (0.7, "orchestrator")):
            eventually(lambda share=share: len(receiver.calls) > share * ROUNDS)
            _kill(product, kind)
        [execution] = eventually(lambda: _over(product, headers, workflow_id), seconds=90, every=0.5)
    assert execution["status"] == "COMPLETED", execution["error"]
    output = execution["stepOutputs"]["step_0"]
    assert (output["count"], output["done"], output["carry"]) == (ROUNDS, True, sum(range(1, ROUNDS + 1)))
    assert output["results"] == list(range(1, ROUNDS + 1)), "no round is lost, and none is done twice"
    keys = {(call.body["n"], call.idempotency_key) for call in receiver.calls}
    assert len(keys) == ROUNDS, "a repeated call must carry the same Idempotency-Key"


ROUNDS = 30


def _repeated_call(receiver: Receiver) -> dict[str, Any]:
    body = {"n": "{{ round.number }}"}
    call = {"type": "HTTP_REQUEST", "config": {"method": "POST", "url": f"{receiver.url}/echo", "body": body}}
    config = {
        "until": f"{{{{ steps.ask.body.n == {ROUNDS} }}}}",
        "start": 0,
        "carry": "{{ carry + steps.ask.body.n }}",
        "collect": "{{ steps.ask.body.n }}",
        "delay": 0.05,
    }
    return {"type": "REPEAT", "config": config, "actions": [{**call, "id": "ask"}]}


TEAMS, MEMBERS = 6, 8


def _nested_loops(receiver: Receiver) -> dict[str, Any]:
    number = f"{{{{ loop.parent.index * {MEMBERS} + item }}}}"
    call = {"type": "HTTP_REQUEST", "config": {"method": "POST", "url": f"{receiver.url}/echo", "body": {"n": number}}}
    inner = {
        "type": "FOR_EACH",
        "config": {"items": list(range(MEMBERS)), "concurrency": 2},
        "actions": [call],
    }
    return {"type": "FOR_EACH", "config": {"items": list(range(TEAMS)), "concurrency": 2}, "actions": [inner]}


def _two_calls(receiver: Receiver) -> list[dict[str, Any]]:
    body = {"order": "{{ trigger.body.order }}"}
    return [
        {"type": "HTTP_REQUEST", "config": {"method": "POST", "url": f"{receiver.url}{path}", "body": body}}
        for path in ("/first", "/second")
    ]


def _kinds(product: Product) -> list[str]:
    """Web and every worker; each worker's process carries the name of what it does."""
    named = {process.name() for process in product.processes() if "workers.all_workers" in process.cmdline()}
    kinds = sorted(name for name in named if not name.startswith("python"))
    assert {"orchestrator", "executor", "log-sink"} <= set(kinds)
    return [*kinds, "web"]


def _kill(product: Product, kind: str) -> None:
    """SIGKILL to one process of that kind."""
    victims = [process for process in product.processes() if _is(process, kind)]
    assert victims, f"no process of kind {kind}"
    victims[-1].kill()


def _kill_postgres(product: Product) -> None:
    """SIGKILL to the postmaster; its backends notice, and go. What starts again replays its log first."""
    [lock] = product.home.rglob("postmaster.pid")
    psutil.Process(int(lock.read_text().splitlines()[0])).kill()


def _until_accepted(senders: Senders) -> None:
    """Calls are answered with a 200 again."""
    before = len(senders.accepted)
    eventually(lambda: len(senders.accepted) > before + 10)


def _is(process: psutil.Process, kind: str) -> bool:
    try:
        return "gunicorn" in process.cmdline() if kind == "web" else process.name() == kind
    except psutil.Error:
        return False


def _empty_valkey(product: Product) -> None:
    with Redis(unix_socket_path=str(next(product.home.rglob("*valkey*.sock")))) as redis:
        redis.flushall()


def _all_over(product: Product, headers: dict[str, str], workflow_id: str) -> bool:
    metrics = requests.get(f"{product.url}/metrics", timeout=10).text
    working = re.findall(r'flowforge_work\{kind="\w+"\} (\S+)', metrics)
    return len(working) == 4 and all(float(count) == 0 for count in working)


def _over(product: Product, headers: dict[str, str], workflow_id: str) -> list[dict[str, Any]]:
    """Executions that are over; one that rests is no work, and still running."""
    return [one for one in _executions(product, headers, workflow_id) if one["status"] not in ("PENDING", "RUNNING")]


def _executions(product: Product, headers: dict[str, str], workflow_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        query = {"workflowId": workflow_id, "size": "200", "page": str(len(found) // 200)}
        page = requests.get(f"{product.url}/api/v1/executions", params=query, headers=headers, timeout=30).json()
        found += page["content"]
        if page["last"]:
            return found
