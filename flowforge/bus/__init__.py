"""The event bus: `port` says what it promises, `streams` and `kafka` keep it."""

from flowforge.bus.port import Delivery, EventBus, Message, Subscription

__all__ = ["Delivery", "EventBus", "Message", "Subscription"]
