"""The dry run and the data picker are one walk: they say the same of every step."""

from __future__ import annotations

from typing import Any

from tests.preview.conftest import Draft

Json = dict[str, Any]
CALL: Json = {"id": "call", "type": "HTTP_REQUEST", "config": {"url": "https://example.test/"}}


def gives(name: str, **output: Any) -> Json:
    return {"id": name, "type": "TRANSFORM", "config": {"output": output}}


def test_a_step_whose_condition_does_not_hold_gives_nothing(draft: Draft) -> None:
    draft.write({"id": "shape", "type": "TRANSFORM", "when": "{{ 1 > 2 }}", "config": {"output": {"rows": []}}})
    assert draft.outputs_of_dry_run() == {}
    assert draft.outputs_in_picker() == {}


def test_a_branch_gives_the_name_of_the_way_it_goes(draft: Draft) -> None:
    branches = [{"name": "yes", "when": "{{ 2 > 1 }}", "actions": []}]
    draft.write({"id": "way", "type": "BRANCH", "branches": branches})
    assert draft.outputs_of_dry_run() == {"way": {"branch": "yes"}}
    assert draft.outputs_in_picker() == {"way": {"branch": "yes"}}


def test_a_wait_for_a_time_gives_an_empty_object(draft: Draft) -> None:
    draft.write({"id": "rest", "type": "WAIT", "config": {"seconds": 60}})
    assert draft.outputs_of_dry_run() == {"rest": {}}
    assert draft.outputs_in_picker() == {"rest": {}}


def test_a_loop_over_nothing_gives_no_results(draft: Draft) -> None:
    inner: Json = {"id": "inner", "type": "TRANSFORM", "config": {"output": {}}}
    draft.write({"id": "each", "type": "FOR_EACH", "config": {"items": []}, "actions": [inner]})
    nothing = {"each": {"count": 0, "failed": 0, "results": []}}
    assert draft.outputs_of_dry_run() == nothing
    assert draft.outputs_in_picker() == nothing


def test_of_a_way_that_is_not_known_every_branch_is_offered(draft: Draft) -> None:
    branches = [{"when": "{{ steps.call.ok }}", "actions": [gives("yes", n=1)]}]
    draft.write(CALL, {"id": "way", "type": "BRANCH", "branches": branches, "else": [gives("no", n=2)]})
    assert draft.outputs_in_picker() == {"yes": {"n": 1}, "no": {"n": 2}}
    assert draft.outputs_of_dry_run() == {"call": None, "way": None, "yes": {"n": 1}, "no": {"n": 2}}


def test_whether_a_step_ran_that_may_not_have_run_is_not_known(draft: Draft) -> None:
    maybe = {**gives("maybe", n=1), "when": "{{ steps.call.ok }}"}
    given = gives("given", n="{{ steps.maybe.n }}")
    counted = gives("counted", n="{{ steps.maybe.n | default(0) }}")
    draft.write(CALL, maybe, given, counted)
    assert draft.outputs_of_dry_run() == {"call": None, "maybe": {"n": 1}, "given": {"n": 1}, "counted": None}


def test_the_results_of_all_rounds_of_a_short_loop_are_known(draft: Draft) -> None:
    inner = gives("inner", twice="{{ item * 2 }}")
    draft.write({"id": "each", "type": "FOR_EACH", "config": {"items": [1, 2]}, "actions": [inner]})
    results = [{"twice": 2}, {"twice": 4}]
    assert draft.outputs_in_picker() == {"each": {"count": 2, "failed": 0, "results": results}}


def test_what_a_long_loop_gives_is_not_known(draft: Draft) -> None:
    inner = gives("inner", twice="{{ item * 2 }}")
    draft.write({"id": "each", "type": "FOR_EACH", "config": {"items": list(range(1_000))}, "actions": [inner]})
    assert draft.outputs_of_dry_run() == {"each": None, "inner": {"twice": 0}}


def test_an_error_that_is_handled_is_an_output(draft: Draft) -> None:
    handler = gives("handler", was="{{ error.step }}")
    draft.write({**gives("risky", n="{{ trigger.nothing.at.all }}"), "onError": [handler]}, gives("after", n=1))
    shown = draft.outputs_in_picker()
    assert shown["risky"]["error"]["step"] == "risky"
    assert (shown["handler"], shown["after"]) == ({"was": "risky"}, {"n": 1})


def test_what_is_done_about_a_rejection_is_gone_through_as_if_there_were_one(draft: Draft) -> None:
    tell = gives("tell", refused="{{ not steps.ask.approved }}")
    ask = {"id": "ask", "type": "WAIT", "config": {"for": "approval"}, "onReject": [tell]}
    draft.write(ask, gives("after", n=1))
    shown = draft.outputs_of_dry_run()
    assert (shown["tell"], shown["after"]) == ({"refused": True}, {"n": 1})


def test_a_step_that_a_run_does_not_come_to_has_a_scope_all_the_same(draft: Draft) -> None:
    no = {"name": "no", "when": "{{ false }}", "actions": [gives("first", n=1), gives("second", n=2)]}
    draft.write(
        gives("before", n=0),
        {"id": "stop", "type": "STOP"},
        {"id": "way", "type": "BRANCH", "branches": [no], "else": [gives("other", n=3)]},
        {
            "id": "each",
            "type": "FOR_EACH",
            "config": {"items": []},
            "actions": [gives("in_first", n=4), gives("in", n=5)],
        },
    )
    assert draft.outputs_in_picker("/actions/2/branches/0/actions/1") == {"before": {"n": 0}, "first": {"n": 1}}
    in_loop = draft.outputs_in_picker("/actions/3/actions/1")
    assert in_loop == {"before": {"n": 0}, "way": {"branch": "else"}, "other": {"n": 3}, "in_first": {"n": 4}}


def test_of_a_list_that_is_read_page_by_page_the_first_page_is_gone_through(draft: Draft) -> None:
    loop = {"id": "pages", "type": "FOR_EACH_PAGE", "config": {}, "actions": [CALL, gives("n", n="{{ page.number }}")]}
    draft.write(loop, gives("after", count="{{ steps.pages.count }}"))
    assert draft.outputs_of_dry_run() == {"call": None, "n": {"n": 1}, "pages": None, "after": None}
    assert draft.outputs_in_picker("/actions/0/actions/1") == {}


def test_what_comes_of_a_list_without_an_end_is_not_known(draft: Draft) -> None:
    page = gives("list", items=[1], complete=False, next="b")
    draft.write({"id": "pages", "type": "FOR_EACH_PAGE", "config": {}, "actions": [page, gives("n", n=1)]})
    assert draft.outputs_of_dry_run() == {"list": page["config"]["output"], "n": {"n": 1}, "pages": None}


def test_of_an_agent_whose_model_is_not_asked_the_tools_are_gone_through(draft: Draft) -> None:
    tool = {"id": "find", "type": "TOOL", "config": {"description": "Finds"}, "actions": [gives("found", n=1)]}
    draft.write({"id": "helper", "type": "AGENT", "config": {}, "actions": [CALL, tool]}, gives("after", n=2))
    assert draft.outputs_of_dry_run() == {
        "call": None,
        "find": None,
        "found": {"n": 1},
        "helper": None,
        "after": {"n": 2},
    }


def test_an_answer_that_is_known_calls_the_tools(draft: Draft) -> None:
    answer = gives("ask", text="", calls=[{"id": "1", "name": "find", "arguments": {"n": 7}}])
    found = gives("found", n="{{ arguments.n }}")
    asked = {"description": "Finds", "parameters": {"n": "Number of the order"}}
    tool = {"id": "find", "type": "TOOL", "config": asked, "actions": [found]}
    draft.write({"id": "helper", "type": "AGENT", "config": {}, "actions": [answer, tool]})
    assert draft.outputs_of_dry_run()["find"] == {"count": 1, "failed": 0, "results": [{"result": {"n": 7}}]}
