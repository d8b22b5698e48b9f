"""The one-command installation: PostgreSQL and Valkey from their wheels, and a supervisor for every process."""
