"""Ports of services that speak a protocol of their own: a connector reaches those that it speaks to, and no others.

A request of HTTP is text that whoever sent it chose: to a mail server or a database it can be a command. Browsers keep
a list for the same reason (https://fetch.spec.whatwg.org/#port-blocking); this one adds databases and queues.
"""

from __future__ import annotations

from flowforge.connectors.errors import ConnectorError

SMTP_PORTS = frozenset({25, 465, 587})
IMAP_PORTS = frozenset({143, 993})
POSTGRESQL_PORTS = frozenset({5432})
MYSQL_PORTS = frozenset({3306})
SQL_SERVER_PORTS = frozenset({1433})
MONGODB_PORTS = frozenset({27017, 27018, 27019})
REDIS_PORTS = frozenset({6379})
SSH_PORTS = frozenset({22, 115})
FTP_PORTS = frozenset({21, 990})

_FILES = {20, 21, 69, 115, 137, 138, 139, 445, 548, 873, 989, 990, 2049}
_SHELLS = {22, 23, 107, 512, 513, 514, 515, 992, 3389, 5900, 6000}
_MAIL_AND_NEWS = {109, 110, 119, 563, 995, 2000, 4190, *SMTP_PORTS, *IMAP_PORTS}
_DIRECTORIES = {42, 43, 53, 79, 88, 111, 123, 135, 161, 162, 179, 389, 427, 464, 636, 853, 3268, 3269}
_DATABASES = {1433, 1434, 1521, 3306, 3050, 5432, 6379, 9042, 11211, 27017, 27018, 27019, 33060}
_QUEUES = {1883, 2181, 4222, 5671, 5672, 8883, 9092, 61613, 61616}
_TELEPHONY_AND_CHAT = {194, 554, 1719, 1720, 1723, 5060, 5061, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697}
SERVICE_PORTS = frozenset(_FILES | _SHELLS | _MAIL_AND_NEWS | _DIRECTORIES | _DATABASES | _QUEUES | _TELEPHONY_AND_CHAT)


def require_port(port: int, own: frozenset[int]) -> None:
    """Raises ConnectorError, permanent, for the port of a service that is not among the connector's own."""
    if port in SERVICE_PORTS and port not in own:
        raise ConnectorError(f"port {port} belongs to another kind of service and cannot be called here", True)
