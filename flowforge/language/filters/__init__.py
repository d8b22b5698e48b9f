"""The filters of expressions, by subject."""
