"""Nodes that give made-up data to learn with."""

from __future__ import annotations

from flowforge.n8n.asking import Asked, one
from flowforge.n8n.data import Output, reach
from flowforge.n8n.nodes import node
from flowforge.sentences import sentence

_PEOPLE = (
    ("Ada Moreau", "Asks for invoices by mail", "FR"),
    ("Ben Okafor", "Was at the trade fair", "NG"),
    ("Chiara Conti", "Prefers to be called in the morning", "IT"),
    ("Dev Sharma", "Has two shops", "IN"),
    ("Elin Berg", "Customer for ten years", "SE"),
)
_CUSTOMERS = [
    {
        "id": f"{number:04}",
        "name": name,
        "email": f"{name.split()[0].lower()}@example.com",
        "notes": notes,
        "country": country,
        "created": f"2024-0{number}-15",
    }
    for number, (name, notes, country) in enumerate(_PEOPLE, 1)
]


@node("n8nTrainingCustomerDatastore")
def customers(asked: Asked) -> Output:
    asked.note(sentence("n8n's sample customers became others, made up here"))
    rows = f"{asked.step('TRANSFORM', {'output': {'items': _CUSTOMERS}})}.items"
    return one(reach(rows, 0)) if asked.raw("operation") == "getOnePerson" else Output(many=rows)


@node("n8nTrainingCustomerMessenger")
def message(asked: Asked) -> Output:
    asked.note(sentence("n8n's training node sends nothing, and neither does the step"))
    fields = {"customerId": asked.text("customerId"), "message": asked.text("message")}
    return one(asked.step("TRANSFORM", {"output": fields}))
