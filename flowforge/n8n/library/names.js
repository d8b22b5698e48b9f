// n8n's names for the data of a workflow.
const item = (json) => ({ json: json ?? {}, binary: {} });
const rows = (node) => (node.items ?? [node.item]).map(item);
const named = (node) => ({
  item: item(node.item), json: node.item, binary: {}, isExecuted: true, context: {},
  all: () => rows(node), first: () => rows(node)[0], last: () => rows(node).at(-1), itemMatching: () => item(node.item),
});
const outputs = input.nodes ?? {};
const absent = { isExecuted: false };
const $ = (name) => (name in outputs ? named(outputs[name]) : absent);
const $node = new Proxy({}, { get: (_, name) => $(name) });
const items = (input.items ?? [input.item]).map(item);
const $json = input.item ?? items[0]?.json ?? {};
const $binary = {};
const $items = (name) => (name === undefined ? items : $(name).all());
const $input = { all: () => items, first: () => items[0], last: () => items.at(-1), item: item($json), params: {} };
const $itemIndex = input.index ?? 0, $runIndex = 0;
const $workflow = input.workflow ?? {}, $execution = { id: input.execution }, $vars = input.vars ?? {};
const $if = (test, then, otherwise) => (test ? then : otherwise);
const $ifEmpty = (given, fallback) => (given === undefined || given === null || given === '' ? fallback : given);
const $max = Math.max, $min = Math.min;
const value = (compute) => {
  try {
    return compute() ?? null;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
};
const listed = (given) => (Array.isArray(given) ? given : given === undefined || given === null ? [] : [given]).map(
  (row) => (row && typeof row === 'object' && 'json' in row ? row.json : row));
