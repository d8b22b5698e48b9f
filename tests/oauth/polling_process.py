"""A process of its own that polls a mailbox once, as a worker does: `python -m tests.oauth.polling_process SETTINGS
TRIGGER`, with the settings as JSON."""

from __future__ import annotations

import json
import sys
from uuid import UUID

from flowforge.settings import Settings
from flowforge.wiring import Backends
from workers.polls import run_poll


def main() -> None:
    given, trigger_id = sys.argv[1:]
    settings = Settings(_env_file=None, allow_private_networks_setting="127.0.0.0/8", **json.loads(given))
    run_poll(Backends(settings, "polling"), UUID(trigger_id))


if __name__ == "__main__":
    main()
