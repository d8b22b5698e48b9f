"""A name server on loopback, which knows what it is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import dns.message
import dns.rcode
import dns.resolver
import dns.rrset

Records = Mapping[str, Sequence[str]]
"""By their name and type: `_service._tcp.example.com. SRV`."""


@contextmanager
def name_server(records: Records) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        threading.Thread(target=_serve, args=(server, records), daemon=True).start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.getsockname()[1]
        try:
            yield resolver
        finally:
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def _serve(server: socket.socket, records: Records) -> None:
    with suppress(OSError):
        while True:
            asked, client = server.recvfrom(4096)
            if not asked:
                return
            server.sendto(_answer(dns.message.from_wire(asked), records).to_wire(), client)


def _answer(query: dns.message.Message, records: Records) -> dns.message.Message:
    [question] = query.question
    answer = dns.message.make_response(query)
    found = records.get(f"{question.name} {dns.rdatatype.to_text(question.rdtype)}")
    if found is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        answer.answer.append(dns.rrset.from_text_list(question.name, 60, "IN", question.rdtype, found))
    return answer
