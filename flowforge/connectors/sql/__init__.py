"""SQL databases: statements with bound parameters, rows as JSON, bounded in time and size."""
