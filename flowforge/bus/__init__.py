"""The event bus: `port` says what it promises, `streams` and `kafka` keep it."""

from flowforge.bus.port import CircuitOpen, Delivery, EventBus, Message, Subscription

__all__ = ["CircuitOpen", "Delivery", "EventBus", "Message", "Subscription"]
