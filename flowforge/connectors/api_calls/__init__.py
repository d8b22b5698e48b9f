"""Calls of an API's operations: the form of a step, what is wrong with it, and what it will answer."""
