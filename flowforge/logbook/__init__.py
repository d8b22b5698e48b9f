"""The execution log: `port` says what a store promises, `postgres` and `mongo` keep it."""

from flowforge.logbook.port import COUNT_LIMIT, DATA_LIMIT_BYTES, LogEntry, LogPage, LogQuery, LogStore, NewEntry

__all__ = ["COUNT_LIMIT", "DATA_LIMIT_BYTES", "LogEntry", "LogPage", "LogQuery", "LogStore", "NewEntry"]
