"""Compare Datasets: COMPARE_LISTS, with a way for each of its four lists."""

from __future__ import annotations

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Ending, Fork, Left, Result, Way
from flowforge.n8n.data import Output
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence

_NAMES = ("In A only", "Same", "Different", "In B only")
_DIFFERENT = 2
_BOTH = """// What both have of each record, and where they differ.
const pick = (row, names) => Object.fromEntries(names.map((name) => [name, row[name] ?? null]));
return input.pairs.map(({ first, second, fields }) => ({
  keys: pick(first, input.keys),
  same: pick(first, Object.keys(first).filter((name) => name in second && !fields.includes(name))),
  different: Object.fromEntries(
    fields.map((name) => [name, { inputA: first[name] ?? null, inputB: second[name] ?? null }])),
}));
"""


@node("compareDatasets", whole_list=True)
def compare(asked: Asked) -> Result:
    first, second = (asked.inputs.get(number, Output(many="[]")) for number in (0, 1))
    rows = asked.needed(
        asked.rows("mergeByFields.values"), sentence("a field to match by"), [{"field1": "id", "field2": "id"}]
    )
    names = [[asked.text_of(row.get(key)) for row in rows] for key in ("field1", "field2")]
    config: JsonObject = {"first": asked.braced(first.items), "second": asked.braced(second.items), "fields": names[0]}
    if names[1] != names[0]:
        asked.note(
            sentence(
                "fields that are matched by are not compared: n8n calls records different where these have other names"
            )
        )
        config["secondFields"] = names[1]
    ignored = [name.strip() for name in asked.text("options.skipFields").split(",") if name.strip()]
    path = asked.step("COMPARE_LISTS", config | ({"ignore": ignored} if ignored else {}))
    asked.note(sentence("a text that is a number equals that number"))
    used = {link.output for link in asked.workflow.links_from(asked.node.name)}
    different = _resolved(asked, path, names[0]) if _DIFFERENT in used else ""
    lists = {0: f"{path}.onlyInFirst", 1: f"{path}.same", _DIFFERENT: different, 3: f"{path}.onlyInSecond"}
    ways = [_way(number, items) for number, items in lists.items() if number in used]
    return Fork(ways, all_that_hold=True) if ways else Ending()


def _way(number: int, items: str) -> Way:
    return Way(number, f"{items} | length > 0", _NAMES[number], Output(many=items))


def _resolved(asked: Asked, path: str, names: list[str]) -> str:
    """The records that differ, as the node wants them."""
    resolve = asked.choice("resolve", "preferInput2" if asked.node.version <= 2 else "includeBoth")
    if resolve == "includeBoth":
        return asked.code(_BOTH, {"pairs": f"{{{{ {path}.different }}}}", "keys": names})
    if resolve == "mix":
        if asked.text("exceptWhenMix"):
            raise Left(sentence("records that differ are mixed, field by field: do that in a CODE step"))
        resolve = f"prefer{asked.choice('preferWhenMix', 'input1').capitalize()}"
    return f"({path}.different | map('{'first' if resolve == 'preferInput1' else 'second'}'))"
