"""Makes the tools of the connectors as the settings want them."""

from __future__ import annotations

from flowforge.connectors.addresses import AddressGuard
from flowforge.connectors.http import HttpClient
from flowforge.connectors.mail import Account, MailServer
from flowforge.connectors.sdk import Tools
from flowforge.settings import Settings


def make_tools(settings: Settings) -> Tools:
    guard = AddressGuard(settings.allowed_private_networks)
    account = Account(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_username,
        settings.smtp_password.get_secret_value(),
        settings.smtp_security,
    )
    return Tools(
        http=HttpClient(guard, settings.http_response_max_bytes, settings.executor_threads),
        mail=MailServer(guard, account, settings.smtp_from),
    )
