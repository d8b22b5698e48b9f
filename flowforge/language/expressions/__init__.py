"""Expressions: templates parsed, compiled and evaluated within bounds."""
