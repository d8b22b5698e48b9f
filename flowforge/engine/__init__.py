"""The engine: an accepted event becomes an execution, and every execution reaches its end."""
