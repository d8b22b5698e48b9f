"""A member of a consumer group of Kafka that keeps its name when its process is started again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flowforge.bus.instance_ids import InstanceId
from flowforge.bus.kafka_client import Fenced
from flowforge.bus.port import Delivery, Subscription


class LastingMember:
    """A flowforge.bus.Subscription. `join` joins the group under a name, `leave` takes that name out of it.

    Fenced, which `poll` and `ack` raise, is the end of it: the process has to end, and the next one has another name.
    """

    def __init__(
        self, instance_id: InstanceId, join: Callable[[str], Subscription], leave: Callable[[str], None]
    ) -> None:
        self._instance_id = instance_id
        self._leave = leave
        self._is_fenced = False
        try:
            self._subscription = join(instance_id.name)
        except BaseException:
            instance_id.release()
            raise

    def poll(self, limit: int, timeout: float) -> list[Delivery]:
        try:
            return self._subscription.poll(limit, timeout)
        except Fenced:
            self._note_fenced()
            raise

    def ack(self, deliveries: Iterable[Delivery]) -> None:
        try:
            self._subscription.ack(deliveries)
        except Fenced:
            self._note_fenced()
            raise

    def close(self) -> None:
        """Leaves the group, which a member with a name does not do by itself."""
        try:
            self._subscription.close()
            if not self._is_fenced:
                self._leave(self._instance_id.name)
        finally:
            if not self._is_fenced:
                self._instance_id.release()

    def _note_fenced(self) -> None:
        """Leaves the name to the other one."""
        if not self._is_fenced:
            self._is_fenced = True
            self._instance_id.replace()
