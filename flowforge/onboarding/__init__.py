"""First steps: the guided first workflow, and workflows to begin with."""
