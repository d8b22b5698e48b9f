"""The execution log: `port` says what a store promises, `postgres` and `mongo` keep it."""

from flowforge.logbook.port import COUNT_LIMIT, LogEntry, LogPage, LogQuery, LogStore, NewEntry

__all__ = ["COUNT_LIMIT", "LogEntry", "LogPage", "LogQuery", "LogStore", "NewEntry"]
