"""Ground of expressions: values, operators, lookups, and the meter that bounds their work."""
