"""Import of n8n's workflows: files are read, and become definitions of ours with a report of what was done (pure)."""
