"""Log lines whose messages were lost, written again from what PostgreSQL knows."""
