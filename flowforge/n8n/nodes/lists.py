"""Nodes that work on all items together: limits, sorting, grouping, splitting and putting together."""

from __future__ import annotations

import re

from flowforge.n8n.asking import Asked, Left, Result, one
from flowforge.n8n.data import Data, Output, held, quote, reach
from flowforge.n8n.nodes import node
from flowforge.n8n.values import Uncomputable


def _items(asked: Asked, expression: str, *, hint: str = "") -> Output:
    """A step that gives a list of items."""
    path = asked.step("TRANSFORM", {"output": {"items": f"{{{{ {asked.values.fits(expression)} }}}}"}}, hint=hint)
    return Output(many=f"{path}.items")


@node("limit", whole_list=True)
def limit(asked: Asked) -> Output:
    most = asked.number("maxItems", 1)
    if not isinstance(most, int):
        raise Left("how many items are kept is computed: choose it by hand")
    return _items(asked, f"{held(asked.items)}[{f'-{most}:' if asked.raw('keep') == 'lastItems' else f':{most}'}]")


@node("splitOut", "itemLists", whole_list=False)
def split_out(asked: Asked) -> Result:
    if asked.node.kind == "itemLists":
        return _item_lists(asked)
    return _split(asked, asked.raw("fieldToSplitOut", ""), asked.raw("include", "noOtherFields"))


def _split(asked: Asked, field: object, include: object) -> Output:
    """The members of a list that the item has become items."""
    if not isinstance(field, str) or field.startswith("="):
        raise Left("the field to split is computed: choose it by hand")
    field = str(asked.needed(field.strip(), "the field", "items"))
    names = [name.strip() for name in field.split(",")]
    if len(names) > 1:
        lists = {
            name.rsplit(".", 1)[-1]: asked.braced(f"{_field(asked, name)} | default([])") for name in names if name
        }
        kept = {"item": asked.item if include == "allOtherFields" else {}}
        return Output(many=asked.code(_SPLIT_TOGETHER, {"lists": lists} | kept))
    path = _field(asked, names[0])
    last = names[0].rsplit(".", 1)[-1]
    rows = asked.code(
        _SPLIT % {"field": quote(last), "others": "true" if include == "allOtherFields" else "false"},
        {"list": asked.braced(f"{path} | default([])"), "item": asked.item},
    )
    if include not in ("noOtherFields", "allOtherFields"):
        asked.note("chosen fields of the item are not repeated for its members")
    return Output(many=rows)


_SPLIT = """// Each member becomes an item; what is no object becomes the field it was a member of.
const members = Array.isArray(input.list) ? input.list : Object.values(input.list ?? {});
const others = %(others)s;
return members.map((member) => {
  const own = member !== null && typeof member === 'object' && !Array.isArray(member);
  if (others) return { ...input.item, [%(field)s]: member };
  return own ? member : { [%(field)s]: member };
});
"""


_SPLIT_TOGETHER = """// The first members of all lists become an item, then the second ones, ...
const length = Math.max(0, ...Object.values(input.lists).map((list) => list.length));
return Array.from({ length }, (_, at) => ({
  ...input.item, ...Object.fromEntries(Object.entries(input.lists).map(([name, list]) => [name, list[at] ?? null])),
}));
"""


def _field(asked: Asked, name: str) -> str:
    """The path of a field of the item; dots lead into objects."""
    first, *others = name.split(".")
    path = asked.given.item.field(first)
    for key in others:
        path = reach(path, int(key) if key.isdecimal() else key)
    return asked.seen(path)


def _item_lists(asked: Asked) -> Result:
    operation = asked.raw("operation", "splitOutItems")
    if operation == "splitOutItems":
        return _split(asked, asked.raw("fieldToSplitOut", ""), asked.raw("include", "noOtherFields"))
    raise Left(f"the operation '{operation}' of item lists has no counterpart")


@node("aggregate", whole_list=True)
def aggregate(asked: Asked) -> Output:
    if asked.raw("aggregate", "aggregateIndividualFields") == "aggregateAllItemData":
        name = asked.raw("destinationFieldName", "data") or "data"
        if not isinstance(name, str) or name.startswith("="):
            raise Left("the name of the field is computed: choose it by hand")
        if asked.raw("include", "allFields") != "allFields":
            asked.note("all fields of the items are kept")
        path = asked.step("TRANSFORM", {"output": {name: f"{{{{ {asked.values.fits(asked.items)} }}}}"}})
        return one(path)
    fields = {}
    for row in asked.rows("fieldsToAggregate.fieldToAggregate"):
        field = str(row.get("fieldToAggregate", "")).lstrip("=")
        name = str(row.get("outputFieldName") or "") if row.get("renameField") else field.rsplit(".", 1)[-1]
        if not field or not name:
            continue
        fields[name] = f"{{{{ {asked.values.fits(f'{held(asked.items)} | map({quote(field)})')} }}}}"
    if not fields:
        fields = {"items": asked.needed("", "the fields", f"{{{{ {asked.values.fits(asked.items)} }}}}")}
    return one(asked.step("TRANSFORM", {"output": fields}))


@node("sort", whole_list=True)
def sort(asked: Asked) -> Output:
    rows = asked.rows("sortFieldsUi.sortField")
    if asked.raw("type", "simple") != "simple" or not rows:
        raise Left("it sorts by chance or by code: do that in a CODE step")
    expression = held(asked.items)
    for row in reversed(rows):
        backwards = ", true" if row.get("order") == "descending" else ""
        expression = f"{expression} | sort({quote(str(row.get('fieldName', '')))}{backwards})"
    return _items(asked, expression)


@node("removeDuplicates", whole_list=True)
def remove_duplicates(asked: Asked) -> Output:
    operation = asked.raw("operation", "removeDuplicateInputItems")
    if operation == "removeItemsSeenInPreviousExecutions":
        return _never_seen(asked)
    if operation != "removeDuplicateInputItems":
        raise Left(f"the operation '{operation}' has no counterpart")
    compared = asked.raw("compare", "allFields")
    if compared == "allFields":
        return _items(asked, f"{held(asked.items)} | unique")
    names = [name.strip() for name in str(asked.raw("fieldsToCompare", "")).split(",") if name.strip()]
    if compared != "selectedFields" or len(names) != 1:
        raise Left("several fields are compared: do that in a CODE step")
    return _items(asked, f"{held(asked.items)} | unique({quote(names[0])})")


def _never_seen(asked: Asked) -> Output:
    """A loop that remembers each item, and the list of those that are new."""
    asked.note("what was seen is remembered for 30 days")
    raw = asked.raw("dedupeValue", "")
    field = re.fullmatch(r"=\{\{\s*\$json\.(\w+)\s*\}\}", raw if isinstance(raw, str) else "")
    if field is None:
        raise Left("what tells items apart is computed: use REMEMBER in the loop that follows")
    seen = asked.names.new(f"seen {asked.node.name}", asked.node.name)
    key = f"{{{{ {reach('item', field[1])} | default('') }}}}"
    inner = {"id": seen, "name": "Seen before?", "type": "REMEMBER", "config": {"key": key}}
    collect = f"{{{{ {{'first': steps.{seen}.first, 'item': item}} }}}}"
    loop = asked.step("FOR_EACH", {"items": asked.braced(asked.given.items), "collect": collect}, actions=[inner])
    return _items(asked, f"{loop}.results | filter(item.first) | map(item.item)", hint=f"new {asked.node.name}")


@node("merge", whole_list=True)
def merge(asked: Asked) -> Output:
    inputs = [asked.inputs[number] for number in sorted(asked.inputs)]
    if len(inputs) <= 1:
        return asked.given
    mode = asked.raw("mode", "append")
    if mode == "append":
        return _items(asked, " + ".join(f"({asked.seen(each.items)})" for each in inputs))
    if mode in ("chooseBranch", "passThrough", "wait"):
        return _chosen(asked, inputs)
    if mode == "combineBySql":
        raise Left("it joins by SQL: do that in a CODE step")
    return _combined(asked, inputs, str(mode))


def _chosen(asked: Asked, inputs: list[Output]) -> Output:
    number = str(asked.raw("useDataOfInput", asked.raw("output", "1")))
    last = number in ("2", "input2")
    if asked.raw("output") == "empty":
        return Output(Data("{}"))
    return inputs[1 if last else 0]


def _combined(asked: Asked, inputs: list[Output], mode: str) -> Output:
    """Joins two lists in code: by position, by fields, or all pairs."""
    way = str(asked.raw("combineBy", asked.raw("combinationMode", _OLD_WAYS.get(mode, "mergeByFields"))))
    left, right = inputs[0], inputs[1]
    given = {"left": asked.braced(left.items), "right": asked.braced(right.items)}
    if len(inputs) > 2:
        raise Left("it combines more than two lists: do that in a CODE step")
    if way in ("combineByPosition", "mergeByPosition", "mergeByIndex"):
        rows = asked.code(_BY_POSITION, {**given, "all": asked.raw("options.includeUnpaired") is True})
        return Output(many=rows) if left.many or right.many else one(f"{rows}[0]")
    if way in ("combineAll", "multiplex"):
        return Output(many=asked.code(_ALL_PAIRS, given))
    if way in ("combineByFields", "mergeByFields", "mergeByKey"):
        kept = {"join": str(asked.raw("joinMode", "keepMatches")), "keys": _keys(asked)}
        return Output(many=asked.code(_BY_FIELDS, {**given, **kept}))
    raise Left(f"the way '{way}' to combine lists has no counterpart")


_OLD_WAYS = {"mergeByIndex": "mergeByPosition", "mergeByKey": "mergeByKey", "multiplex": "multiplex"}


def _keys(asked: Asked) -> list[list[str]]:
    rows = asked.rows("mergeByFields.values")
    if rows:
        return [[str(row.get("field1", "")), str(row.get("field2", ""))] for row in rows]
    simple = asked.raw("fieldsToMatchString")
    if isinstance(simple, str) and not simple.startswith("="):
        return [[name.strip(), name.strip()] for name in simple.split(",")]
    old = [asked.raw("propertyName1"), asked.raw("propertyName2")]
    if all(isinstance(name, str) and not name.startswith("=") for name in old):
        return [[str(name) for name in old]]
    raise Uncomputable("the fields to match by are computed")


_BY_POSITION = """// The first with the first, the second with the second, ...
const length = (input.all ? Math.max : Math.min)(input.left.length, input.right.length);
return Array.from({ length }, (_, at) => ({ ...input.left[at], ...input.right[at] }));
"""
_ALL_PAIRS = """return input.left.flatMap((left) => input.right.map((right) => ({ ...left, ...right })));
"""
_BY_FIELDS = """// Rows of both lists whose fields are equal.
const at = (row, path) => path.split('.').reduce((value, key) => value?.[key], row);
const key = (row, side) => JSON.stringify(input.keys.map((names) => String(at(row, names[side]))));
const groups = new Map();
input.right.forEach((row) => groups.set(key(row, 1), [...(groups.get(key(row, 1)) ?? []), row]));
const pairs = input.left.map((row) => [row, groups.get(key(row, 0)) ?? []]);
const known = new Set(input.left.map((row) => key(row, 0)));
const alone = input.right.filter((row) => !known.has(key(row, 1)));
const matched = pairs.flatMap(([left, rows]) => rows.map((right) => ({ ...left, ...right })));
const unmatched = pairs.filter(([, rows]) => !rows.length).map(([left]) => left);
const enriched = pairs.flatMap(([left, rows]) => (rows.length ? rows.map((right) => ({ ...left, ...right })) : [left]));
return {
  keepMatches: matched, keepNonMatches: [...unmatched, ...alone], enrichInput1: enriched,
  enrichInput2: [...matched, ...alone], keepEverything: [...enriched, ...alone],
}[input.join] ?? matched;
"""


@node("summarize", whole_list=True)
def summarize(asked: Asked) -> Output:
    rows = asked.rows("fieldsToSummarize.values")
    split = asked.raw("fieldsToSplitBy", "")
    if not rows or not isinstance(split, str) or split.startswith("="):
        raise Left("what it sums up is computed: choose it by hand")
    chosen = [
        [str(row.get("aggregation", "count")), str(row.get("field", "")), row.get("separateBy", ",")] for row in rows
    ]
    given = {
        "rows": asked.braced(asked.given.items),
        "by": [n.strip() for n in split.split(",") if n.strip()],
        "sums": chosen,
    }
    return Output(many=asked.code(_SUMMARIZE, given))


_SUMMARIZE = """// One item for each group of rows, with what was asked of its fields.
const at = (row, path) => path.split('.').reduce((value, key) => value?.[key], row);
const groups = new Map();
input.rows.forEach((row) => {
  const key = JSON.stringify(input.by.map((name) => at(row, name)));
  groups.set(key, [...(groups.get(key) ?? []), row]);
});
const sums = {
  count: (all) => all.length, countUnique: (all) => new Set(all.map((one) => JSON.stringify(one))).size,
  sum: (all) => all.reduce((total, one) => total + Number(one), 0), min: (all) => all.reduce((a, b) => (b < a ? b : a)),
  average: (all) => all.reduce((total, one) => total + Number(one), 0) / all.length,
  max: (all) => all.reduce((a, b) => (b > a ? b : a)), append: (all) => all,
  concatenate: (all, mark) => all.join(mark),
};
return [...groups.values()].map((rows) => ({
  ...Object.fromEntries(input.by.map((name) => [name, at(rows[0], name)])),
  ...Object.fromEntries(input.sums.map(([sum, name, mark]) => {
    const all = rows.map((row) => at(row, name)).filter((value) => value !== undefined && value !== null);
    const label = { sum: 'sum', count: 'count', min: 'min', max: 'max', average: 'average', append: 'appended',
      concatenate: 'concatenated', countUnique: 'unique_count' }[sum];
    return [`${label}_${name}`, all.length || sum === 'count' || sum === 'append' ? sums[sum](all, mark) : null];
  })),
}));
"""
