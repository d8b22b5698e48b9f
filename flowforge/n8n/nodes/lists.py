"""Nodes that work on the items as a list: limits, sorting, grouping, splitting, other names for fields."""

from __future__ import annotations

import re

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked, Left, one
from flowforge.n8n.data import Output, held, quote, reach
from flowforge.n8n.javascript import library_for, nodes_named_in
from flowforge.n8n.nodes import node
from flowforge.n8n.nodes.code import checked
from flowforge.n8n.values import literal
from flowforge.sentences import sentence


def _items(asked: Asked, expression: str, *, hint: str = "") -> Output:
    """A step that gives a list of items."""
    path = asked.step("TRANSFORM", {"output": {"items": f"{{{{ {asked.values.fits(expression)} }}}}"}}, hint=hint)
    return Output(many=f"{path}.items")


@node("limit", whole_list=True)
def limit(asked: Asked) -> Output:
    most = asked.number("maxItems", 1)
    if not isinstance(most, int):
        raise Left(sentence("how many items are kept is computed: choose it by hand"))
    return _items(asked, f"{held(asked.items)}[{f'-{most}:' if asked.raw('keep') == 'lastItems' else f':{most}'}]")


@node("splitOut")
def split_out(asked: Asked) -> Output:
    """The members of a list that the item has become items."""
    field, include = str(asked.raw("fieldToSplitOut", "")), asked.raw("include", "noOtherFields")
    if field.startswith("="):
        return _split_by_computed_field(asked, include == "allOtherFields")
    field = str(asked.needed(field.strip(), sentence("the field"), "items"))
    names = [name.strip() for name in field.split(",")]
    if len(names) > 1:
        lists = {
            name.rsplit(".", 1)[-1]: asked.braced(f"{_field(asked, name)} | default([])") for name in names if name
        }
        kept = {"item": asked.item if include == "allOtherFields" else {}}
        return Output(many=asked.code(_SPLIT_TOGETHER, {"lists": lists} | kept))
    path = _field(asked, names[0])
    last = names[0].rsplit(".", 1)[-1]
    given = {"list": asked.braced(f"{path} | default([])"), "item": asked.item, "field": literal(last)}
    rows = asked.code(_SPLIT, given | {"others": include == "allOtherFields"})
    if include not in ("noOtherFields", "allOtherFields"):
        asked.note(sentence("chosen fields of the item are not repeated for its members"))
    return Output(many=rows)


def _split_by_computed_field(asked: Asked, others: bool) -> Output:
    given = {"item": asked.item, "field": asked.text("fieldToSplitOut"), "others": others}
    return Output(many=asked.code(f"{_LIST_OF_FIELD}{_SPLIT}", given))


_LIST_OF_FIELD = """input.list = input.field.split('.').reduce((value, key) => value?.[key], input.item);
"""
_SPLIT = """// Each member becomes an item; what is no object becomes the field it was a member of.
const members = Array.isArray(input.list) ? input.list : Object.values(input.list ?? {});
return members.map((member) => {
  const own = member !== null && typeof member === 'object' && !Array.isArray(member);
  if (input.others) return { ...input.item, [input.field]: member };
  return own ? member : { [input.field]: member };
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


@node("aggregate", whole_list=True)
def aggregate(asked: Asked) -> Output:
    if asked.raw("aggregate", "aggregateIndividualFields") == "aggregateAllItemData":
        name = asked.raw("destinationFieldName", "data") or "data"
        if not isinstance(name, str) or name.startswith("="):
            raise Left(sentence("the name of the field is computed: choose it by hand"))
        if asked.raw("include", "allFields") != "allFields":
            asked.note(sentence("all fields of the items are kept"))
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
        fields = {"items": asked.needed("", sentence("the fields"), f"{{{{ {asked.values.fits(asked.items)} }}}}")}
    return one(asked.step("TRANSFORM", {"output": fields}))


@node("sort", whole_list=True)
def sort(asked: Asked) -> Output:
    how = asked.raw("type", "simple")
    if how == "random":
        return Output(many=asked.code(_SHUFFLE, {"items": asked.braced(asked.given.items)}))
    if how == "code":
        return _sort_by_code(asked)
    rows = asked.rows("sortFieldsUi.sortField")
    rows = asked.needed(rows, sentence("the field to sort by"), [{"fieldName": "name"}])
    expression = held(asked.items)
    for row in reversed(rows):
        backwards = ", true" if row.get("order") == "descending" else ""
        expression = f"{expression} | sort({quote(str(row.get('fieldName', '')))}{backwards})"
    return _items(asked, expression)


def _sort_by_code(asked: Asked) -> Output:
    source = checked(str(asked.raw("code", "return 0;")))
    ordered = f"{library_for(source)}return listed(items.sort((a, b) => {{\n{source}\n}}));\n"
    given = {"items": asked.braced(asked.given.items)} | nodes_named_in(source, asked.values.place)
    return Output(many=asked.code(ordered, given))


_SHUFFLE = """// Each order is as likely as any other (Fisher and Yates).
const rows = [...input.items];
for (let at = rows.length - 1; at > 0; at -= 1) {
  const other = Math.floor(Math.random() * (at + 1));
  [rows[at], rows[other]] = [rows[other], rows[at]];
}
return rows;
"""


@node("renameKeys")
def rename_keys(asked: Asked) -> Output:
    names = [[str(row.get("currentKey", "")), asked.text_of(row.get("newKey"))] for row in asked.rows("keys.key")]
    patterns = [
        {
            "search": literal(str(row.get("searchRegex", ""))),
            "replace": asked.text_of(row.get("replaceRegex")),
            "flags": "gi" if (row.get("options") or {}).get("caseInsensitive") is True else "g",
        }
        for row in asked.rows("additionalOptions.regexReplacement.replacements")
    ]
    path = asked.code(_RENAME, {"item": asked.item, "names": names, "patterns": patterns})
    return one(path).with_files_of(asked.given)


_RENAME = """// The fields under their new names; dots lead into objects.
const row = structuredClone(input.item);
const holder = (path, making) => path.slice(0, -1).reduce(
  (inner, key) => (making ? (inner[key] ??= {}) : inner?.[key]), row);
for (const [before, after] of input.names) {
  const [from, to] = [before.split('.'), after.split('.')];
  const old = holder(from, false);
  if (before === after || old === null || typeof old !== 'object' || !(from.at(-1) in old)) continue;
  holder(to, true)[to.at(-1)] = old[from.at(-1)];
  delete old[from.at(-1)];
}
const renamed = (value, { search, replace, flags }) => {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map((member) => renamed(member, { search, replace, flags }));
  return Object.fromEntries(Object.entries(value).map(
    ([key, member]) => [key.replace(new RegExp(search, flags), replace), renamed(member, { search, replace, flags })]));
};
return input.patterns.reduce(renamed, row);
"""


@node("removeDuplicates", whole_list=True)
def remove_duplicates(asked: Asked) -> Output:
    operation = asked.raw("operation", "removeDuplicateInputItems")
    if operation == "removeItemsSeenInPreviousExecutions":
        return _never_seen(asked)
    if operation not in ("removeDuplicateInputItems", "removeDuplicates"):
        raise Left(sentence("the operation '%(operation)s' has no counterpart", operation=operation))
    compared = asked.raw("compare", "allFields")
    if compared == "allFields":
        return _items(asked, f"{held(asked.items)} | unique")
    names = _names(asked, "fieldsToCompare" if compared == "selectedFields" else "fieldsToExclude")
    if compared == "selectedFields" and len(names) == 1:
        return _items(asked, f"{held(asked.items)} | unique({quote(names[0])})")
    given = {"items": asked.braced(asked.given.items), "names": names, "others": compared != "selectedFields"}
    return Output(many=asked.code(_UNIQUE, given))


def _names(asked: Asked, path: str) -> list[str]:
    """Names of fields: between commas, or one after another as old versions have them."""
    raw = asked.raw(path, "")
    if isinstance(raw, str):
        return [literal(name.strip()) for name in raw.split(",") if name.strip()]
    return [literal(str(row.get("fieldName", ""))) for row in asked.rows(f"{path}.fields")]


_UNIQUE = """// The first of all items that are equal in the fields that count.
const at = (row, path) => path.split('.').reduce((value, key) => value?.[key], row);
const counted = (row) => (input.others
  ? Object.entries(row).filter(([name]) => !input.names.includes(name)).sort()
  : input.names.map((name) => at(row, name)));
const seen = new Set();
return input.items.filter((row) => {
  const key = JSON.stringify(counted(row));
  return !seen.has(key) && seen.add(key);
});
"""


def _never_seen(asked: Asked) -> Output:
    """A loop that remembers each item, and the list of those that are new."""
    asked.note(sentence("what was seen is remembered for 30 days"))
    raw = asked.raw("dedupeValue", "")
    field = re.fullmatch(r"=\{\{\s*\$json\.([\w.]+)\s*\}\}", raw if isinstance(raw, str) else "")
    if field is None:
        raise Left(sentence("what tells items apart is computed: use REMEMBER in the loop that follows"))
    seen = asked.names.new(f"seen {asked.node.name}", asked.node.name)
    key = f"{{{{ {reach('item', field[1])} | default('') }}}}"
    inner = {"id": seen, "name": "Seen before?", "type": "REMEMBER", "config": {"key": key}}
    collect = f"{{{{ {{'first': steps.{seen}.first, 'item': item}} }}}}"
    loop = asked.step("FOR_EACH", {"items": asked.braced(asked.given.items), "collect": collect}, actions=[inner])
    return _items(asked, f"{loop}.results | filter(item.first) | map(item.item)", hint=f"new {asked.node.name}")


@node("summarize", whole_list=True)
def summarize(asked: Asked) -> Output:
    rows = asked.rows("fieldsToSummarize.values")
    split = asked.raw("fieldsToSplitBy", "")
    rows = asked.needed(rows, sentence("what it sums up"), [{"field": "name"}])
    chosen = [
        [str(row.get("aggregation", "count")), asked.text_of(row.get("field", "")), asked.text_of(_mark(row))]
        for row in rows
    ]
    given = {"rows": asked.braced(asked.given.items), "by": asked.text_of(split), "sums": chosen}
    return Output(many=asked.code(_SUMMARIZE, given))


def _mark(row: JsonObject) -> object:
    """What stands between texts that are put together."""
    chosen = row.get("separateBy", ",")
    return row.get("customSeparator", "") if chosen == "other" else chosen


_SUMMARIZE = """// One item for each group of rows, with what was asked of its fields.
const at = (row, path) => path.split('.').reduce((value, key) => value?.[key], row);
const by = input.by.split(',').map((name) => name.trim()).filter(Boolean);
const groups = new Map();
input.rows.forEach((row) => {
  const key = JSON.stringify(by.map((name) => at(row, name)));
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
  ...Object.fromEntries(by.map((name) => [name, at(rows[0], name)])),
  ...Object.fromEntries(input.sums.map(([sum, name, mark]) => {
    const all = rows.map((row) => at(row, name)).filter((value) => value !== undefined && value !== null);
    const label = { sum: 'sum', count: 'count', min: 'min', max: 'max', average: 'average', append: 'appended',
      concatenate: 'concatenated', countUnique: 'unique_count' }[sum];
    return [`${label}_${name}`, all.length || sum === 'count' || sum === 'append' ? sums[sum](all, mark) : null];
  })),
}));
"""
