"""The tools of connectors, made as the settings want them."""

from __future__ import annotations

from dataclasses import replace

from flowforge.connectors.context import Tools
from flowforge.connectors.http_client.blocking_transport import BlockingTransport
from flowforge.connectors.http_client.client import AsyncHttpClient, HttpClient, Limits
from flowforge.connectors.http_client.loop_transport import LoopTransport
from flowforge.connectors.mail_transport.account import Account
from flowforge.connectors.mail_transport.server import MailServer
from flowforge.connectors.mail_transport.shared_account import TakeAllowance
from flowforge.connectors.network.addresses import AddressGuard
from flowforge.connectors.network.deadlines import Deadlines
from flowforge.connectors.network.dialer import Dialer
from flowforge.connectors.network.host_patterns import HostPatterns
from flowforge.connectors.network.look_ups import InFairThread, LookUps
from flowforge.connectors.network.proxy import Proxy, ProxyBypass
from flowforge.connectors.network.routes import Routes
from flowforge.connectors.session_pool import SessionPool
from flowforge.connectors.tokens import TokenCache
from flowforge.mail.addresses import read_or_none
from flowforge.settings import Settings


def make_guard(settings: Settings) -> AddressGuard:
    """The guard of all ways out, with the networks and hosts that the operator allows."""
    return AddressGuard(settings.allowed_private_networks, HostPatterns(settings.egress_hosts))


def make_routes(settings: Settings) -> Routes:
    """The ways of HTTP requests, by the operator's proxy where there is one."""
    url = settings.https_proxy.get_secret_value()
    return Routes(make_guard(settings), Proxy.read(url) if url else None, ProxyBypass(settings.no_proxy))


def make_tools(settings: Settings, take_allowance: TakeAllowance) -> Tools:
    """Tools for those who run one step at a time: coroutines wait in their thread, too. `take_allowance`: counts the
    mails that an account sends by the instance's own server."""
    guard = make_guard(settings)
    deadlines = Deadlines()
    waiting = AsyncHttpClient(
        BlockingTransport(make_routes(settings), deadlines, settings.executor_threads), _limits(settings)
    )
    return Tools(
        http=HttpClient(waiting),
        async_http=waiting,
        mail=MailServer(guard, deadlines, _own_account(settings), read_or_none(settings.mail_sender), take_allowance),
        tokens=TokenCache(),
        oauth_clients=settings.oauth_clients,
        dialer=Dialer(guard, deadlines),
        sessions=SessionPool(),
    )


def make_loop_transport(settings: Settings, look_up_threads: InFairThread) -> LoopTransport:
    """The transport of coroutines that share an event loop. `look_up_threads`: where names are looked up."""
    return LoopTransport(make_routes(settings), LookUps(look_up_threads))


def on_loop(tools: Tools, transport: LoopTransport, settings: Settings) -> Tools:
    """The same tools for steps that share an event loop."""
    return replace(tools, async_http=AsyncHttpClient(transport, _limits(settings)))


def _limits(settings: Settings) -> Limits:
    return Limits(request=settings.http_request_max_bytes, response=settings.http_response_max_bytes)


def _own_account(settings: Settings) -> Account:
    return Account(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_username,
        settings.smtp_password.get_secret_value(),
        settings.smtp_security,
    )
