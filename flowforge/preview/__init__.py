"""Previews of a workflow: dry runs, step tests, and the data of its expressions."""
