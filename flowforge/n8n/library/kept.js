// What a workflow keeps between its executions.
const $getWorkflowStaticData = (kind) => (kept[kind === 'node' ? `node ${input.node}` : kind] ??= {});
const getWorkflowStaticData = $getWorkflowStaticData;
