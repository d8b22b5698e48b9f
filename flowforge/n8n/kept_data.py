"""What n8n's workflows keep between executions (static data): a row of a table for each workflow."""

from __future__ import annotations

from flowforge.jsonio import JsonObject
from flowforge.n8n.asking import Asked
from flowforge.n8n.values import literal
from flowforge.sentences import sentence

TABLE = "n8n static data"


def with_kept_data(asked: Asked, program: str, given: JsonObject) -> str:
    """The steps around code that keeps data: it is read before, and written after. Returns the path of its rows."""
    asked.note(
        sentence(
            "make a table '%(table)s' with the columns 'workflow' (text, the key) and 'data' (JSON) first", table=TABLE
        )
    )
    table: JsonObject = {"table": TABLE}
    key = literal(asked.workflow.name)
    before = asked.step("TABLE", table | {"operation": "get", "key": key}, hint=f"kept for {asked.node.name}")
    kept = {"kept": f"{{{{ {before}.row.data | default({{}}, true) }}}}", "node": literal(asked.node.name)}
    wrapped = (
        f"const kept = input.kept, program = async () => {{\n{program}}};\nreturn {{ rows: await program(), kept }};\n"
    )
    path = asked.code(wrapped, given | kept)
    values = {"workflow": key, "data": f"{{{{ {path}.kept }}}}"}
    asked.step("TABLE", table | {"operation": "addOrChange", "values": values}, hint=f"keep for {asked.node.name}")
    return f"{path}.rows"
