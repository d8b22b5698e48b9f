"""Executions as people look at them: lists, details, logs, waits, replays."""
