"""Conditions as people put them together, as rows; anything else is an expression of their own."""

from webapp.ui.conditions.forms import condition_from_form, shown_rows
from webapp.ui.conditions.in_words import in_words, with_conditions_in_words
from webapp.ui.conditions.reading import read_condition
from webapp.ui.conditions.rows import OPERATORS, UNARY, Group, Row, without_blanks
from webapp.ui.conditions.writing import write_condition

__all__ = [
    "OPERATORS",
    "UNARY",
    "Group",
    "Row",
    "condition_from_form",
    "in_words",
    "read_condition",
    "shown_rows",
    "with_conditions_in_words",
    "without_blanks",
    "write_condition",
]
