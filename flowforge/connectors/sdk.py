"""All that a connector's file imports. One file declares everything: config, help, secrets, and what it does.

class Config(ConnectorConfig):
    webhook_url: str = secret(title="Webhook URL")

@connector("SLACK_MESSAGE", Config, title="Slack message", help="…", icon="message")
def run(config: Config, context: StepContext) -> JsonObject: ...
"""

from __future__ import annotations

from flowforge.code.languages import check as check_code
from flowforge.code.languages import run as run_code
from flowforge.code.program import MOST_SECONDS as MOST_CODE_SECONDS
from flowforge.code.program import CodeBusy, CodeFailed, Program
from flowforge.code.program import Limits as CodeLimits
from flowforge.connectors import child, foreign_files, remote_files
from flowforge.connectors.address_fields import MailAddress, MailAddresses
from flowforge.connectors.assertions import Algorithm, forget_token, sign_claims, times_of, token_for
from flowforge.connectors.aws_signature import AwsSignature
from flowforge.connectors.bounded_results import as_file, listing
from flowforge.connectors.config import ConnectorConfig, Guarded, listed
from flowforge.connectors.connection_kind import ConnectionKind, Credentials
from flowforge.connectors.connector import CONNECTION, Connector, connector
from flowforge.connectors.context import StepContext, Tools
from flowforge.connectors.described import Described
from flowforge.connectors.errors import ConnectionBroken, ConnectorError
from flowforge.connectors.files import Content, File, FileAccess, Files, Source
from flowforge.connectors.http_client.call import HeaderName
from flowforge.connectors.http_client.cookies import Cookies
from flowforge.connectors.http_client.download import Download, name_of
from flowforge.connectors.http_client.parameters import Nested, Pair, pairs_of
from flowforge.connectors.http_client.received import Receiving, ResponseForm
from flowforge.connectors.http_client.request import Request
from flowforge.connectors.http_client.response import Response
from flowforge.connectors.http_client.signing import basic_credentials
from flowforge.connectors.http_client.streamed_body import StreamedBody, body_of, multipart, related
from flowforge.connectors.http_client.tls import TlsIdentity, readable_key, readable_pem
from flowforge.connectors.images.operations import AnyImageOperation
from flowforge.connectors.lists.all_operations import AnyOperation
from flowforge.connectors.lists.operation import Path
from flowforge.connectors.lists.working import compare_lists, work_on_list
from flowforge.connectors.mail_transport.account import (
    AccessTokens,
    Account,
    MailTarget,
    Security,
    without_control_characters,
)
from flowforge.connectors.mail_transport.conversation import SmtpConversation
from flowforge.connectors.mail_transport.imap import ImapConversation
from flowforge.connectors.network import service_ports as ports
from flowforge.connectors.network.deadlines import Watch
from flowforge.connectors.network.dialer import Dialer, seconds_to_connect
from flowforge.connectors.paging.declaration import Paging
from flowforge.connectors.paging.page import ONLY_PAGE, Page
from flowforge.connectors.paging.reading import read_pages
from flowforge.connectors.polls import Polls
from flowforge.connectors.progress import Part
from flowforge.connectors.remote_answers import ask_server, copy_download, xml_of
from flowforge.connectors.service import Calls, Service, ServiceConfig, given
from flowforge.connectors.session_pool import SessionKey
from flowforge.connectors.sql import dialect as writing
from flowforge.connectors.sql.child import Answer as SqlAnswer
from flowforge.connectors.sql.child import running_sql
from flowforge.connectors.sql.dialect import Dialect, Upsert
from flowforge.connectors.sql.parameters import DOLLAR, Bound, first_word, mentions
from flowforge.connectors.sql.server import (
    AUTHORITIES_FIELD,
    TLS_FIELD,
    DatabaseServer,
    Tls,
    lent_session,
    tls_context,
)
from flowforge.connectors.sql.session import Driver, Rows, SqlSession
from flowforge.connectors.sql.statement_config import (
    LONGEST_SQL,
    MOST_ROWS,
    NO_EXPRESSIONS,
    StatementConfig,
    parameter,
)
from flowforge.connectors.ssh.command_line import CommandLine, Environment, script
from flowforge.connectors.ssh.running import MOST_COMMAND_BYTES, Ended, run_command
from flowforge.connectors.step_log import KeptLog, LogLine, StepLog
from flowforge.connectors.tables import Added, IfThere, NewRows, Table, WantedPage, Which
from flowforge.connectors.tokens import token_key
from flowforge.fields import chosen_by, field, secret
from flowforge.mail.composing import Mail, one_line
from flowforge.summaries import first_of, joined

__all__ = [
    "AUTHORITIES_FIELD",
    "CONNECTION",
    "DOLLAR",
    "LONGEST_SQL",
    "MOST_CODE_SECONDS",
    "MOST_COMMAND_BYTES",
    "MOST_ROWS",
    "NO_EXPRESSIONS",
    "ONLY_PAGE",
    "TLS_FIELD",
    "AccessTokens",
    "Account",
    "Added",
    "Algorithm",
    "AnyImageOperation",
    "AnyOperation",
    "AwsSignature",
    "Bound",
    "Calls",
    "CodeBusy",
    "CodeFailed",
    "CodeLimits",
    "CommandLine",
    "ConnectionBroken",
    "ConnectionKind",
    "Connector",
    "ConnectorConfig",
    "ConnectorError",
    "Content",
    "Cookies",
    "Credentials",
    "DatabaseServer",
    "Described",
    "Dialect",
    "Dialer",
    "Download",
    "Driver",
    "Ended",
    "Environment",
    "File",
    "FileAccess",
    "Files",
    "Guarded",
    "HeaderName",
    "IfThere",
    "ImapConversation",
    "KeptLog",
    "LogLine",
    "Mail",
    "MailAddress",
    "MailAddresses",
    "MailTarget",
    "Nested",
    "NewRows",
    "Page",
    "Paging",
    "Pair",
    "Part",
    "Path",
    "Polls",
    "Program",
    "Receiving",
    "Request",
    "Response",
    "ResponseForm",
    "Rows",
    "Security",
    "Service",
    "ServiceConfig",
    "SessionKey",
    "SmtpConversation",
    "Source",
    "SqlAnswer",
    "SqlSession",
    "StatementConfig",
    "StepContext",
    "StepLog",
    "StreamedBody",
    "Table",
    "Tls",
    "TlsIdentity",
    "Tools",
    "Upsert",
    "WantedPage",
    "Watch",
    "Which",
    "as_file",
    "ask_server",
    "basic_credentials",
    "body_of",
    "check_code",
    "child",
    "chosen_by",
    "compare_lists",
    "connector",
    "copy_download",
    "field",
    "first_of",
    "first_word",
    "foreign_files",
    "forget_token",
    "given",
    "joined",
    "lent_session",
    "listed",
    "listing",
    "mentions",
    "multipart",
    "name_of",
    "one_line",
    "pairs_of",
    "parameter",
    "ports",
    "read_pages",
    "readable_key",
    "readable_pem",
    "related",
    "remote_files",
    "run_code",
    "run_command",
    "running_sql",
    "script",
    "seconds_to_connect",
    "secret",
    "sign_claims",
    "times_of",
    "tls_context",
    "token_for",
    "token_key",
    "without_control_characters",
    "work_on_list",
    "writing",
    "xml_of",
]
