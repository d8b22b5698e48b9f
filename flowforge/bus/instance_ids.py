"""Names by which Kafka knows a member of a group again whose process was killed and started anew (static membership,
KIP-345): it gets its partitions back at once, rather than when its former self has been silent for a session.

Of two members with one name Kafka lets go the older. So a name belongs to a slot of a home, which one process at a time
holds by a lock that ends with it; and it has a part at random, and the name of the machine, since homes are copied.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

_LONGEST_HOST = 100
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9._-]")
"""Characters that Kafka takes in no such name, which has at most 249."""


@dataclass(frozen=True, slots=True)
class InstanceId:
    """A name, held until it is released or the process ends."""

    name: str
    _descriptor: int

    def release(self) -> None:
        """Lets another process have it: whoever takes this slot next goes on as this member."""
        os.close(self._descriptor)

    def replace(self) -> None:
        """Gives the slot another name, for whoever takes it next, and releases it: somebody else uses this one."""
        _write_random_part(self._descriptor)
        self.release()


def take_instance_id(folder: Path, group: str) -> InstanceId:
    """Takes the first slot of the group that no process holds in this folder, which is made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for number in count(1):
        descriptor = os.open(folder / f"{quote(group, safe='')}-{number}", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return InstanceId(f"{_host()}-{_random_part(descriptor)}", descriptor)
    raise AssertionError("slots are counted for ever")


def _host() -> str:
    return _NOT_ALLOWED.sub("_", socket.gethostname())[:_LONGEST_HOST]


def _random_part(descriptor: int) -> str:
    written = os.pread(descriptor, 32, 0).decode("ascii", "replace")
    return written if re.fullmatch("[0-9a-f]{32}", written) else _write_random_part(descriptor)


def _write_random_part(descriptor: int) -> str:
    made = uuid4().hex
    os.pwrite(descriptor, made.encode(), 0)
    os.fsync(descriptor)
    return made
