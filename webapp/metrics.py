"""Metrics of this process for Prometheus. With several web processes each scrape meets one of them."""

from __future__ import annotations

import time
from functools import cache

from flask import Blueprint, Flask, Response, current_app, g, request
from flask.blueprints import BlueprintSetupState
from prometheus_client import CollectorRegistry, Counter, Histogram

_NO_ROUTE = "(none)"
_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Counted:
    """One application's own counters."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "flowforge_http_requests", "Answers given", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "flowforge_http_request_seconds",
            "Time from a request to the head of its answer",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.events = Counter(
            "flowforge_events_accepted", "Events this process has accepted", ["type"], registry=self.registry
        )
        self.count_of_answers = cache(self.requests.labels)
        self.time_of_route = cache(self.seconds.labels)
        self.count_of_events = cache(self.events.labels)
        """Finding the one of a route or type takes Prometheus longer than counting."""


def install(blueprint: Blueprint) -> None:
    """Counts every request of the application that the blueprint is registered with."""
    blueprint.record_once(_make)
    blueprint.before_app_request(_start_clock)
    blueprint.after_app_request(_count_answer)


def counted() -> Counted:
    return _of(current_app)


def count_event(trigger_type: str) -> None:
    counted().count_of_events(trigger_type).inc()


def _of(app: Flask) -> Counted:
    found: Counted = app.extensions["flowforge.metrics"]
    return found


def _make(state: BlueprintSetupState) -> None:
    state.app.extensions["flowforge.metrics"] = Counted()


def _start_clock() -> None:
    g.began = time.perf_counter()


def _count_answer(response: Response) -> Response:
    rule, own = request.url_rule, counted()
    route = rule.rule if rule else _NO_ROUTE
    method = request.method if rule else _NO_ROUTE  # a client may make up methods without end
    own.count_of_answers(method, route, response.status_code).inc()
    began = g.get("began")
    if began is not None:
        own.time_of_route(route).observe(time.perf_counter() - began)
    return response
