"""Makes the tools of the connectors as the settings want them."""

from __future__ import annotations

from flowforge.connectors.addresses import AddressGuard
from flowforge.connectors.deadlines import Deadlines
from flowforge.connectors.http import HttpClient, Limits
from flowforge.connectors.mail import Account, MailServer
from flowforge.connectors.sdk import Tools
from flowforge.settings import Settings


def make_tools(settings: Settings) -> Tools:
    guard = AddressGuard(settings.allowed_private_networks)
    deadlines = Deadlines()
    limits = Limits(request=settings.http_request_max_bytes, response=settings.http_response_max_bytes)
    account = Account(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_username,
        settings.smtp_password.get_secret_value(),
        settings.smtp_security,
    )
    return Tools(
        http=HttpClient(guard, deadlines, limits, settings.executor_threads),
        mail=MailServer(guard, deadlines, account, settings.smtp_from),
    )
