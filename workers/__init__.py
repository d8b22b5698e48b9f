"""The background processes: consumers of the topics, and finite jobs, all hosted on RQ."""
