"""Data tables, without their rows: columns and their types, values as they are stored, conditions on rows."""
