"""Generated workflow definitions, blocks included, with the texts that YAML readers stumble over."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

_SURPRISES = [
    *["on", "no", "yes", "True", "null", "~", "", "1_000", "010", "0x1F", "0o17", "1e5", "-1.5", ".inf", "12:30:45"],
    *["2026-03-04", "2026-03-04T05:06:07Z", "<<", "=", "- a", "a: b", "# no comment", "{{ trigger.body }}", "!tag"],
    *["&a", "*a", "%YAML", "---", "...", "@at", "`tick`", "'", '"', "two\nlines", "ends\n", "ends twice\n\n", " led"],
    *[
        "\n led",
        "trails \nhere",
        "tab\there",
        "\r\n",
        "a\x85b",
        "a\u2028b",
        "\x00",
        "\ufeff",
        "\x1b",
        "😀 ü",
        "key: |\n  x",
    ],
]
texts = st.one_of(
    st.sampled_from(_SURPRISES),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text(st.sampled_from("ab \n\t:#-'\"{}[],&*!|>%@`"), max_size=30),
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False), texts
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
configs = st.dictionaries(texts, values, max_size=4)
names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(str.strip)


@st.composite
def actions(draw: st.DrawFn, depth: int = 2) -> list[Json]:
    return draw(st.lists(action(depth), max_size=3))


@st.composite
def action(draw: st.DrawFn, depth: int) -> Json:
    made: Json = draw(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["HTTP_REQUEST", "TRANSFORM", "WAIT"])},
            optional={
                "config": st.none() | configs,
                "name": st.none() | names,
                "when": st.booleans() | texts,
                "retry": st.fixed_dictionaries({}, optional={"attempts": st.integers(1, 9), "delay": st.floats(0, 60)}),
                "timeout": st.floats(1, 60),
                "enabled": st.booleans(),
                "onError": st.sampled_from(["fail", "continue"]),
            },
        )
    )
    if depth:
        kind = draw(st.sampled_from(["PLAIN", "BRANCH", "FOR_EACH", "REPEAT", "PARALLEL", "HANDLED"]))
        if kind in ("BRANCH", "PARALLEL"):
            ways = st.fixed_dictionaries({"actions": actions(depth - 1)}, optional={"name": names, "when": texts})
            made |= {"type": kind, "branches": draw(st.lists(ways, max_size=2))}
        if kind == "BRANCH":
            made["else"] = draw(actions(depth - 1))
        elif kind in ("FOR_EACH", "REPEAT"):
            made |= {"type": kind, "actions": draw(actions(depth - 1))}
        elif kind == "HANDLED":
            made["onError"] = draw(actions(depth - 1))
    return made


@st.composite
def definitions(draw: st.DrawFn) -> Json:
    made: Json = {"name": draw(names), "actions": draw(actions())}
    if draw(st.booleans()):
        made["trigger"] = draw(
            st.none() | st.fixed_dictionaries({"type": st.just("webhook")}, optional={"config": configs})
        )
    if draw(st.booleans()):
        made["settings"] = {"timeout": 60, "concurrency": {"limit": 2, "key": draw(texts)}}
    return made
