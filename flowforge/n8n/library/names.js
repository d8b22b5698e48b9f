// n8n's names for the data of a workflow.
const binaryOf = (source, at) => (typeof filesOf === 'function' ? filesOf(source, at) : {});
const rows = (source) => (source.items ?? [source.item]).map((json, at) => ({ json: json ?? {}, binary: binaryOf(source, at) }));
const named = (node) => {
  const all = rows(node), item = 'items' in node ? { json: node.item, binary: all[0]?.binary ?? {} } : all[0];
  const methods = { all: () => all, first: () => all[0], last: () => all.at(-1), itemMatching: () => item };
  return { item, json: item.json, binary: item.binary, isExecuted: true, context: {}, ...methods };
};
const outputs = input.nodes ?? {};
const absent = { isExecuted: false };
const known = {};
const $ = (name) => (name in outputs ? (known[name] ??= named(outputs[name])) : absent);
const $node = new Proxy({}, { get: (_, name) => $(name) });
const items = rows(input);
const $json = input.item ?? items[0]?.json ?? {};
const $binary = items[0]?.binary ?? {};
const $items = (name) => (name === undefined ? items : $(name).all());
const $input = { all: () => items, first: () => items[0], last: () => items.at(-1), item: items[0], params: {} };
const $itemIndex = input.index ?? 0, $runIndex = 0;
const $workflow = input.workflow ?? {}, $execution = { id: input.execution }, $vars = input.vars ?? {};
const $env = $vars, process = { env: $env };
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
const bare = (row) => {
  if (!row || typeof row !== 'object') return row;
  if (typeof withFiles === 'function' && ('json' in row || 'binary' in row)) return withFiles(row);
  return 'json' in row ? row.json : row;
};
const listed = (given) => (Array.isArray(given) ? given : given === undefined || given === null ? [] : [given]).map(bare);
