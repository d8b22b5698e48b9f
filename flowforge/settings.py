"""Settings: the only reader of the environment (and of `.env`).

Every setting is one field here, with its meaning; `.env.example` and docker-compose.yml are tested against this file.
Names follow the wire contract (section 8): the NestJS version's name first, the Spring version's as an alias where
the meaning is equal.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from flowforge import jdbc
from flowforge.loopback import is_loopback
from flowforge.mail import addresses
from flowforge.oauth.clients import read_clients
from flowforge.oauth.provider import Client

_PLACEHOLDERS = ("dev-secret", "devsecret", "please-change", "change-me", "changeme", "change_me", "your-secret")
"""Texts of published defaults: a key that reads like one of these, repeated up to any length, is no secret."""
_MIN_SECRET_BYTES = 32

Networks = list[ipaddress.IPv4Network | ipaddress.IPv6Network]

_PROXY = re.compile(r"http://([^/?#\s@]+@)?([a-z0-9._-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?/?", re.IGNORECASE)
_LIFETIME = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*([a-z]*)")
_UNITS = {
    timedelta(milliseconds=1): ("", "ms", "msec", "msecs", "millisecond", "milliseconds"),
    timedelta(seconds=1): ("s", "sec", "secs", "second", "seconds"),
    timedelta(minutes=1): ("m", "min", "mins", "minute", "minutes"),
    timedelta(hours=1): ("h", "hr", "hrs", "hour", "hours"),
    timedelta(days=1): ("d", "day", "days"),
    timedelta(weeks=1): ("w", "week", "weeks"),
}


def lifetime(value: Any) -> Any:
    """A length of time as the originals write it: `1d`, `15m`, or a bare number of milliseconds."""
    if not isinstance(value, str | int) or isinstance(value, bool):
        return value
    match = _LIFETIME.fullmatch(str(value).strip().lower())
    unit = next((length for length, names in _UNITS.items() if match and match[2] in names), None)
    if match is None or unit is None:
        raise ValueError("must be a number of milliseconds, or one with a unit: 90s, 15m, 12h, 1d")
    return min(float(match[1]), timedelta(days=10_000) / unit) * unit


class Settings(BaseSettings):
    """Settings of an operator. Raises pydantic.ValidationError naming the variable when a value is unusable."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        extra="ignore",
        populate_by_name=True,
        env_prefix="FLOWFORGE_FIELD_",  # else a field could be set by its own name, and $HOME be taken for `home`
        env_ignore_empty=True,
    )

    # -- the instance
    port: int = Field(
        8080,
        validation_alias=AliasChoices("PORT", "SERVER_PORT"),
        ge=0,
        le=65535,
        description="Port of the dashboard, the API and the webhooks.",
    )
    host: str = Field("127.0.0.1", validation_alias="HOST", description="Address the web server listens on.")
    home: Path = Field(
        Path(".flowforge"),
        validation_alias="FLOWFORGE_HOME",
        description="Folder for data, generated secrets and logs.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias="LOG_LEVEL", description="How much the processes write to their own logs."
    )

    # -- databases
    postgres_url_setting: str | None = Field(
        None,
        validation_alias="POSTGRES_URL",
        description="postgresql://user:password@host:port/database. Unset (with POSTGRES_HOST): embedded PostgreSQL.",
    )
    spring_datasource_url: str | None = Field(
        None,
        validation_alias="SPRING_DATASOURCE_URL",
        pattern="^(jdbc:)?postgresql:",
        description="The same in the Spring version's words, jdbc:postgresql://host:port/database, with POSTGRES_USER"
        " and POSTGRES_PASSWORD; counts where POSTGRES_URL is not set.",
    )
    postgres_host: str | None = Field(
        None,
        validation_alias=AliasChoices("POSTGRES_HOST", "FLOWFORGE_DATASOURCE_HOST"),
        description="host:port; POSTGRES_URL is built from it when that is unset.",
    )
    postgres_db: str = Field(
        "devdb",
        validation_alias=AliasChoices("POSTGRES_DB", "FLOWFORGE_DATASOURCE_DB_NAME"),
        description="Database name, used with POSTGRES_HOST.",
    )
    postgres_user: str = Field(
        "dev",
        validation_alias=AliasChoices("POSTGRES_USER", "SPRING_DATASOURCE_USERNAME", "FLOWFORGE_DATASOURCE_USERNAME"),
        description="Database user, used with POSTGRES_HOST.",
    )
    postgres_password: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices(
            "POSTGRES_PASSWORD", "SPRING_DATASOURCE_PASSWORD", "FLOWFORGE_DATASOURCE_PASSWORD"
        ),
        description="Database password, used with POSTGRES_HOST.",
    )
    postgres_params: str = Field(
        "",
        validation_alias=AliasChoices("POSTGRES_PARAMS", "FLOWFORGE_DATASOURCE_PARAMS"),
        description="Extra connection parameters, e.g. sslmode=require, used with POSTGRES_HOST.",
    )
    database_pool_size: int = Field(
        10,
        validation_alias="DATABASE_POOL_SIZE",
        ge=1,
        le=200,
        description="Database connections one process may hold.",
    )
    redis_url: str | None = Field(
        None, validation_alias="REDIS_URL", description="redis://… or unix://…; unset: embedded Valkey."
    )
    mongo_uri: str | None = Field(
        None,
        validation_alias=AliasChoices("MONGO_URI", "SPRING_DATA_MONGODB_URI"),
        description="mongodb://host/flowforge_logs keeps the logs there; unset: in PostgreSQL.",
    )

    # -- event bus
    kafka_brokers: Annotated[list[str], NoDecode] = Field(
        [],
        validation_alias=AliasChoices("KAFKA_BROKERS", "KAFKA_BOOTSTRAP_SERVERS"),
        description="Comma list of brokers; unset: Valkey Streams.",
    )
    kafka_client_id: str = Field(
        "flowforge", validation_alias="KAFKA_CLIENT_ID", description="Client id shown by the brokers."
    )
    kafka_client: Literal["kafka-python", "confluent"] = Field(
        "kafka-python",
        validation_alias="KAFKA_CLIENT",
        description="Library that carries messages to and from Kafka; `confluent` (in C) takes a fifth of the CPU.",
    )
    group_orchestrator: str = Field(
        "flowforge-orchestrator",
        validation_alias="GROUP_ORCHESTRATOR",
        description="Consumer group of the orchestrator.",
    )
    group_executor: str = Field(
        "flowforge-executor", validation_alias="GROUP_EXECUTOR", description="Consumer group of the executor."
    )
    group_log_sink: str = Field(
        "flowforge-log-sink", validation_alias="GROUP_LOG_SINK", description="Consumer group of the log sink."
    )
    former_groups_orchestrator: Annotated[list[str], NoDecode] = Field(
        ["orchestrator-trigger", "orchestrator-results", "orchestrator-group"],
        validation_alias="FORMER_GROUPS_ORCHESTRATOR",
        description="Comma list of Kafka's consumer groups from which GROUP_ORCHESTRATOR takes over: while it has read"
        " nothing, it begins where they stood.",
    )
    former_groups_executor: Annotated[list[str], NoDecode] = Field(
        ["executor-start", "executor-group"],
        validation_alias="FORMER_GROUPS_EXECUTOR",
        description="The same for GROUP_EXECUTOR.",
    )
    former_groups_log_sink: Annotated[list[str], NoDecode] = Field(
        ["log-trigger", "log-result", "log-group"],
        validation_alias="FORMER_GROUPS_LOG_SINK",
        description="The same for GROUP_LOG_SINK.",
    )
    executor: Literal["own", "foreign"] = Field(
        "own",
        validation_alias="EXECUTOR",
        description="`foreign`: another implementation's executor, on the same Kafka, runs the steps.",
    )
    kafka_message_max_bytes: int = Field(
        1_000_000,
        validation_alias="KAFKA_MESSAGE_MAX_BYTES",
        ge=1024,
        le=4 * 1024 * 1024,
        description="Largest message that the brokers take, their message.max.bytes; with EXECUTOR=foreign, a step that"
        " has more fails and says so.",
    )
    topic_secrets_in_clear: bool = Field(
        False,
        validation_alias="TOPIC_SECRETS_IN_CLEAR",
        description="Send secret config values unencrypted on execution.start, for a foreign executor.",
    )
    payload_inline_limit_setting: int | None = Field(
        None,
        validation_alias="PAYLOAD_INLINE_LIMIT",
        ge=1024,
        description="Bytes above which a payload travels by reference instead of inside a message;"
        " unset: 32768 on Valkey Streams, 262144 on Kafka.",
    )
    stream_max_bytes: int = Field(
        64 * 1024 * 1024,
        validation_alias="STREAM_MAX_BYTES",
        ge=1024 * 1024,
        description="Memory that each of the four Valkey Streams may take; beyond it the oldest messages are dropped,"
        " and sent again from PostgreSQL.",
    )

    # -- identity
    jwt_secret_setting: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("APPLICATION_SECURITY_JWT_SECRET_KEY", "JWT_SECRET"),
        description="Signing key of access tokens, at least 32 bytes; unset: generated into FLOWFORGE_HOME.",
    )
    secret_keys_setting: SecretStr | None = Field(
        None,
        validation_alias="FLOWFORGE_SECRET_KEYS",
        description="Comma list of Fernet keys, newest first, for secrets; unset: generated into FLOWFORGE_HOME.",
    )
    session_secret_setting: SecretStr | None = Field(
        None,
        validation_alias="SESSION_SECRET",
        description="Signing key of dashboard sessions; unset: generated into FLOWFORGE_HOME.",
    )
    access_token_minutes: int = Field(
        15, validation_alias="ACCESS_TOKEN_MINUTES", ge=1, le=1440, description="Life of an access token."
    )
    jwt_expiration: Annotated[timedelta | None, BeforeValidator(lifetime)] = Field(
        None,
        validation_alias=AliasChoices("JWT_EXPIRATION", "APPLICATION_SECURITY_JWT_EXPIRATION"),
        ge=timedelta(minutes=1),
        le=timedelta(days=1),
        description="The same in the originals' words, at most a day; where set, it counts instead of"
        " ACCESS_TOKEN_MINUTES. A number counts as milliseconds; also 90s, 15m, 12h, 1d.",
    )
    refresh_token_hours_setting: int = Field(
        168, validation_alias="JWT_REFRESH_HOURS", ge=1, le=8760, description="Life of a refresh token."
    )
    jwt_refresh_expiration: Annotated[timedelta | None, BeforeValidator(lifetime)] = Field(
        None,
        validation_alias="APPLICATION_SECURITY_JWT_REFRESH_TOKEN_EXPIRATION",
        ge=timedelta(hours=1),
        le=timedelta(days=365),
        description="The same in the Spring version's words, in ms; counts where JWT_REFRESH_HOURS is not set.",
    )
    registration_open_setting: bool | None = Field(
        None,
        validation_alias="REGISTRATION_OPEN",
        description="Whether anyone who reaches the server may register. Unset: while only this machine reaches it;"
        " otherwise until the first account exists. People can always be invited.",
    )
    second_factor_required: bool = Field(
        False,
        validation_alias="SECOND_FACTOR_REQUIRED",
        description="Whether everybody needs a second factor: without one, only its setup in the dashboard is open.",
    )
    quota_workflows: int = Field(
        0,
        validation_alias="QUOTA_WORKFLOWS",
        ge=0,
        description="Workflows an account may have; 0: any number. Administrators set others for single accounts.",
    )
    quota_executions_a_day: int = Field(
        0,
        validation_alias="QUOTA_EXECUTIONS_A_DAY",
        ge=0,
        description="Executions an account may start on one day, in UTC; 0: any number.",
    )
    quota_bytes: int = Field(
        0,
        validation_alias="QUOTA_BYTES",
        ge=0,
        description="Bytes that the payloads and outputs of an account's executions may take while they are kept;"
        " 0: any number.",
    )
    trusted_proxies: int = Field(
        0,
        validation_alias="TRUSTED_PROXIES",
        ge=0,
        le=10,
        description="How many reverse proxies in front may be believed for the client's address.",
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        [],
        validation_alias="ALLOWED_HOSTS",
        description="Comma list of host names under which the server answers, beside localhost, HOST and the host of"
        " WEBHOOK_BASE_URL; .example.com: every name below it, *: any. Others get a 421.",
    )
    secure_cookies: bool = Field(
        False,
        validation_alias="SECURE_COOKIES",
        description="Send the session cookie over HTTPS only, also where HTTPS cannot be seen from here (no"
        " TRUSTED_PROXIES); a request that came by HTTPS always gets such a cookie.",
    )
    cors_origins: Annotated[list[str], NoDecode] = Field(
        [],
        validation_alias="CORS_ORIGINS",
        description="Comma list of origins that may call the API; unset: none.",
    )
    auth_rate_limit: str = Field(
        "20/minute",
        validation_alias="AUTH_RATE_LIMIT",
        description="Attempts to register or sign in, per client address; five times as many per network (/24 of IPv4,"
        " /64 of IPv6). Wrong passwords for one account have growing pauses beside that.",
    )

    # -- triggers
    webhook_base_url: str = Field(
        "",
        validation_alias="WEBHOOK_BASE_URL",
        description="What webhook URLs start with; unset: https://WEBHOOK_HOST, or http://localhost:PORT.",
    )
    webhook_host: str = Field(
        "",
        validation_alias="WEBHOOK_HOST",
        pattern=r"^([A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*)?$",
        description="A host name for webhooks, forms and their answers alone, so that what workflows answer is never on"
        " the dashboard's origin. Other names, listed in ALLOWED_HOSTS, then lead to it. Unset: one host for all.",
    )
    webhook_max_bytes: int = Field(
        1024 * 1024,
        validation_alias="WEBHOOK_MAX_BYTES",
        ge=1024,
        description="Largest webhook body; larger ones get a 413.",
    )
    webhook_rate_limit: str = Field(
        "60000/minute",
        validation_alias="WEBHOOK_RATE_LIMIT",
        description="Calls of one webhook that each web process takes, and a third of what it takes of one account's;"
        " more are answered 429. `off`: any number.",
    )
    legacy_webhook_port: int | None = Field(
        None,
        validation_alias="LEGACY_WEBHOOK_PORT",
        ge=1,
        le=65535,
        description="One more port that answers like PORT, for webhook URLs that another installation has handed out"
        " (8083 in the originals).",
    )
    scheduler_enabled: bool = Field(True, validation_alias="SCHEDULER_ENABLED", description="Fire schedules.")
    scheduler_check_interval: int = Field(
        1000,
        validation_alias="SCHEDULER_CHECK_INTERVAL",
        ge=1000,
        description="How often due schedules are looked for, in ms.",
    )
    email_polling_enabled: bool = Field(True, validation_alias="EMAIL_POLLING_ENABLED", description="Poll mailboxes.")
    email_polling_interval: int = Field(
        60000,
        validation_alias=AliasChoices("EMAIL_POLLING_INTERVAL", "EMAIL_POLLING_CHECK_INTERVAL"),
        ge=1000,
        description="How often each mailbox is polled, in ms; other triggers say it themselves.",
    )
    email_imap_host: str = Field(
        "imap.gmail.com",
        validation_alias=AliasChoices("EMAIL_IMAP_HOST", "IMAP_HOST"),
        description="IMAP server for triggers that name none.",
    )
    email_imap_port: int = Field(
        993,
        validation_alias=AliasChoices("EMAIL_IMAP_PORT", "IMAP_PORT"),
        description="IMAP port for triggers that name none.",
    )
    email_imap_secure: bool = Field(
        True, validation_alias="EMAIL_IMAP_SECURE", description="Whether that port speaks TLS."
    )
    mailbox_time_limit: int = Field(
        60,
        validation_alias="MAILBOX_TIME_LIMIT",
        ge=5,
        description="Seconds one poll of a mailbox, or of another trigger that looks for what is new, may take.",
    )
    mailbox_workers: int = Field(
        3,
        validation_alias="MAILBOX_WORKERS",
        ge=1,
        le=64,
        description="Mailboxes and the like polled at once; one account has no more than half of them, rounded up.",
    )

    # -- actions
    executor_threads: int = Field(
        32,
        validation_alias="EXECUTOR_THREADS",
        ge=1,
        le=512,
        description="Steps that need a thread and that one executor process runs at once: queries, mails, code.",
    )
    executor_calls: int = Field(
        10_000,
        validation_alias="EXECUTOR_CALLS",
        ge=1,
        le=100_000,
        description="Steps that call by HTTP and that one executor process runs at once: they wait without a thread.",
    )
    executor_held_bytes: int = Field(
        256 * 1024 * 1024,
        validation_alias="EXECUTOR_HELD_BYTES",
        ge=1024 * 1024,
        description="Bytes of all steps that one executor process holds (messages, large configs, answers and outputs),"
        " shared fairly between accounts; in memory they may take several times as much.",
    )
    workflow_concurrency: int = Field(
        16,
        validation_alias="WORKFLOW_CONCURRENCY",
        ge=1,
        description="Steps of one workflow that one executor process runs at once; of its threads at most 3/8.",
    )
    step_timeout_seconds: float = Field(
        60,
        validation_alias="STEP_TIMEOUT_SECONDS",
        gt=0,
        le=86400,
        description="Time limit of a step that states none.",
    )
    step_max_attempts: int = Field(
        5,
        validation_alias="STEP_MAX_ATTEMPTS",
        ge=1,
        le=100,
        description="Attempts of a step that states none, for errors that may pass.",
    )
    step_lease_seconds: float = Field(
        15,
        validation_alias="STEP_LEASE_SECONDS",
        ge=1,
        description="Silence after which an executor is taken for dead.",
    )
    drain_seconds: int = Field(
        30,
        validation_alias="DRAIN_SECONDS",
        ge=0,
        le=24 * 3600,
        description="Seconds that a worker which is told to stop lets running steps end; what runs longer is repeated.",
    )
    step_output_max_bytes: int = Field(
        1024 * 1024,
        validation_alias="STEP_OUTPUT_MAX_BYTES",
        ge=1024,
        description="Largest output of one step.",
    )
    http_request_max_bytes: int = Field(
        10 * 1024 * 1024,
        validation_alias="HTTP_REQUEST_MAX_BYTES",
        ge=1024,
        description="Largest body an action may send.",
    )
    http_response_max_bytes: int = Field(
        10 * 1024 * 1024,
        validation_alias="HTTP_RESPONSE_MAX_BYTES",
        ge=1024,
        description="Largest answer an action may read.",
    )
    allow_private_networks_setting: str = Field(
        "false",
        validation_alias="ALLOW_PRIVATE_NETWORKS",
        description="false, true, or a comma list of networks (10.0.0.0/8) that actions may call.",
    )
    egress_hosts: Annotated[list[str], NoDecode] = Field(
        [],
        validation_alias="EGRESS_HOSTS",
        description="Comma list of the hosts that actions and mailboxes may call, such as"
        " hooks.slack.com,*.googleapis.com; unset: any.",
    )
    https_proxy: SecretStr = Field(
        SecretStr(""),
        validation_alias="HTTPS_PROXY",
        description="Proxy for the https calls of actions, such as http://proxy.example:3128; its address, too, has to"
        " be allowed.",
    )
    no_proxy: Annotated[list[str], NoDecode] = Field(
        [],
        validation_alias="NO_PROXY",
        description="Comma list of the hosts and networks that are called without it.",
    )
    oauth_clients_setting: SecretStr = Field(
        SecretStr(""),
        validation_alias="OAUTH_CLIENTS",
        description="Client ids and secrets of providers that everybody here may sign in with, by preset:"
        ' {"google": {"clientId": "…", "clientSecret": "…"}}, or the path of a file that holds this.',
    )
    smtp_host: str = Field(
        "",
        validation_alias=AliasChoices("SMTP_HOST", "MAIL_HOST"),
        description="Mail server for SEND_EMAIL steps that name none.",
    )
    smtp_port: int = Field(587, validation_alias=AliasChoices("SMTP_PORT", "MAIL_PORT"), description="Its port.")
    smtp_username: str = Field(
        "", validation_alias=AliasChoices("SMTP_USERNAME", "MAIL_USERNAME"), description="Its user."
    )
    smtp_password: SecretStr = Field(
        SecretStr(""),
        validation_alias=AliasChoices("SMTP_PASSWORD", "MAIL_PASSWORD"),
        description="Its password.",
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", validation_alias="SMTP_SECURITY", description="How the connection to it is protected."
    )
    smtp_from: str = Field(
        "",
        validation_alias="SMTP_FROM",
        description="Address that all mail by it is sent under; unset: SMTP_USERNAME, where that is an address.",
    )
    quota_mails_a_day: int = Field(
        500,
        validation_alias="QUOTA_MAILS_A_DAY",
        ge=0,
        description="Mails that an account may send by it on one day, in UTC, each recipient counted; 0: any number.",
    )

    # -- files
    files_url_setting: str = Field(
        "",
        validation_alias="FILES_URL",
        pattern="^(|file:///.+|s3://[a-z0-9][a-z0-9.-]+(/.*)?)$",
        description="Store of the contents of files: file:///folder, or s3://bucket/folder. Unset: `files` in"
        " FLOWFORGE_HOME.",
    )
    files_s3_endpoint: str = Field(
        "",
        validation_alias="FILES_S3_ENDPOINT",
        pattern="^(|https?://.+)$",
        description="Address of the S3-compatible server, https://storage.example.com; unset: that of AWS.",
    )
    files_s3_region: str = Field("us-east-1", validation_alias="FILES_S3_REGION", description="Its region.")
    files_s3_access_key: str = Field("", validation_alias="FILES_S3_ACCESS_KEY", description="The id of its key.")
    files_s3_secret_key: SecretStr = Field(
        SecretStr(""), validation_alias="FILES_S3_SECRET_KEY", description="The secret of its key."
    )
    file_max_bytes: int = Field(
        50 * 1024 * 1024,
        validation_alias="FILE_MAX_BYTES",
        ge=1024,
        description="Largest file that an account may have.",
    )
    quota_file_bytes: int = Field(
        5 * 1024 * 1024 * 1024,
        validation_alias="QUOTA_FILE_BYTES",
        ge=0,
        description="Bytes that the files of an account may have together; 0: any number.",
    )

    # -- data tables
    quota_table_rows: int = Field(
        5_000_000,
        validation_alias="QUOTA_TABLE_ROWS",
        ge=0,
        description="Rows that the tables of an account may have together, with the keys that it remembers; 0: any"
        " number.",
    )
    quota_table_bytes: int = Field(
        2 * 1024 * 1024 * 1024,
        validation_alias="QUOTA_TABLE_BYTES",
        ge=0,
        description="Bytes that these rows may have together; 0: any number.",
    )

    # -- keeping
    log_retention_days: int = Field(
        30, validation_alias="LOG_RETENTION_DAYS", ge=1, description="Age at which log entries are deleted."
    )
    execution_retention_days: int = Field(
        90,
        validation_alias="EXECUTION_RETENTION_DAYS",
        ge=1,
        description="Age at which finished executions and their events are deleted; a workflow can say less.",
    )
    audit_retention_days: int = Field(
        365,
        validation_alias="AUDIT_RETENTION_DAYS",
        ge=1,
        le=36_500,
        description="Age at which entries of the audit log are deleted.",
    )
    access_log: bool = Field(
        False,
        validation_alias="ACCESS_LOG",
        description="Write a line of JSON for each request to the standard output of the web process: request id,"
        " account, route, status, duration, address.",
    )

    # -- web server
    web_threads: int = Field(
        64,
        validation_alias="WEB_THREADS",
        ge=4,
        le=1024,
        description="Requests one web process serves at once, live streams not counted.",
    )
    live_viewers: int = Field(
        500,
        validation_alias="LIVE_VIEWERS",
        ge=1,
        le=50_000,
        description="Live streams one web process serves at once, at most half of them of one account; one more is"
        " answered 503.",
    )
    web_read_timeout: float = Field(
        10,
        validation_alias="WEB_READ_TIMEOUT",
        ge=1,
        le=300,
        description="Seconds a sender may be silent in the middle of a request; then it is answered 408.",
    )
    web_request_timeout: float = Field(
        60,
        validation_alias="WEB_REQUEST_TIMEOUT",
        ge=1,
        le=3600,
        description="Seconds within which a request has to arrive, head and body.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        validation_alias="METRICS_TOKEN",
        min_length=16,
        description="Bearer token for /metrics; unset: only senders on loopback may read it. Never through a proxy.",
    )
    web_processes: int = Field(1, validation_alias="WEB_PROCESSES", ge=1, le=64, description="Web processes.")

    @field_validator(
        "kafka_brokers",
        "former_groups_orchestrator",
        "former_groups_executor",
        "former_groups_log_sink",
        "cors_origins",
        "allowed_hosts",
        "egress_hosts",
        "no_proxy",
        mode="before",
    )
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return [part.strip() for part in value.split(",") if part.strip()]
        return value

    @field_validator("https_proxy", mode="before")
    @classmethod
    def _refuse_what_is_no_proxy(cls, value: Any) -> Any:
        if not isinstance(value, str) or not value.strip():
            return ""
        url = value.strip() if "://" in value else f"http://{value.strip()}"
        if not _PROXY.fullmatch(url):
            raise ValueError("must be the address of an HTTP proxy, such as http://proxy.example:3128")
        return url

    @field_validator("smtp_from")
    @classmethod
    def _refuse_what_is_no_address(cls, value: str) -> str:
        return str(addresses.read(value)) if value.strip() else ""

    @field_validator("oauth_clients_setting")
    @classmethod
    def _refuse_what_are_no_clients(cls, value: SecretStr) -> SecretStr:
        read_clients(value.get_secret_value())
        return value

    @field_validator("jwt_secret_setting")
    @classmethod
    def _refuse_weak_secrets(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        text = value.get_secret_value()
        published = any(placeholder in text.lower() for placeholder in _PLACEHOLDERS)
        if published or len(text.encode()) < _MIN_SECRET_BYTES:
            raise ValueError(f"must have at least {_MIN_SECRET_BYTES} bytes and not be a published default")
        return value

    @model_validator(mode="after")
    def _webhooks_have_one_host(self) -> Settings:
        if self.webhook_host and urlsplit(self.public_webhook_base).hostname != self.webhook_host.lower():
            raise ValueError("WEBHOOK_BASE_URL must have the host WEBHOOK_HOST, or be left out")
        return self

    @model_validator(mode="after")
    def _private_networks_parse(self) -> Settings:
        _ = self.allowed_private_networks
        return self

    @model_validator(mode="after")
    def _foreign_executor_is_reached_by_kafka(self) -> Settings:
        if self.has_foreign_executor and not self.kafka_brokers:
            raise ValueError("EXECUTOR=foreign needs KAFKA_BROKERS: another implementation reads Kafka's topics only")
        return self

    @property
    def has_foreign_executor(self) -> bool:
        return self.executor == "foreign"

    @property
    def files_url(self) -> str:
        """The store of files, a folder of the home where none is named."""
        return self.files_url_setting or (self.home / "files").absolute().as_uri()

    @property
    def postgres_url(self) -> str | None:
        """The database's URL, or None where the embedded PostgreSQL is meant."""
        if self.postgres_url_setting:
            return self.postgres_url_setting
        if self.spring_datasource_url:
            return jdbc.to_libpq(self.spring_datasource_url, self._database_credentials)
        if not self.postgres_host:
            return None
        params = f"?{jdbc.parameters_to_libpq(self.postgres_params)}" if self.postgres_params else ""
        return f"postgresql://{self._database_credentials}@{self.postgres_host}/{self.postgres_db}{params}"

    @property
    def _database_credentials(self) -> str:
        password = quote(self.postgres_password.get_secret_value(), safe="")
        return f"{quote(self.postgres_user, safe='')}:{password}"

    @property
    def access_token_lifetime(self) -> timedelta:
        return self.jwt_expiration or timedelta(minutes=self.access_token_minutes)

    @property
    def refresh_token_lifetime(self) -> timedelta:
        """The lifetime of refresh tokens, from the NestJS version's name for it before the Spring version's."""
        if self.jwt_refresh_expiration and "refresh_token_hours_setting" not in self.model_fields_set:
            return self.jwt_refresh_expiration
        return timedelta(hours=self.refresh_token_hours_setting)

    @property
    def payload_inline_limit(self) -> int:
        """Bytes above which a payload travels by reference: streams live in memory, and PostgreSQL has it anyway."""
        return self.payload_inline_limit_setting or (256 * 1024 if self.kafka_brokers else 32 * 1024)

    @cached_property
    def oauth_clients(self) -> Mapping[str, Client]:
        """What FlowForge is registered as with providers, for everybody here, by preset."""
        return read_clients(self.oauth_clients_setting.get_secret_value())

    @cached_property
    def allowed_private_networks(self) -> Networks:
        """The networks that ALLOW_PRIVATE_NETWORKS opens; `true` opens all of them."""
        text = self.allow_private_networks_setting.strip().lower()
        if text in {"", "false", "0", "no"}:
            return []
        if text in {"true", "1", "yes"}:
            return [ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0")]
        return [ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",")]

    @property
    def only_local(self) -> bool:
        """Whether nothing but this machine reaches the server, as far as the settings tell."""
        hosts = [self.host, urlsplit(self.public_webhook_base).hostname or "", *self.allowed_hosts]
        return not self.trusted_proxies and all(is_loopback(host) for host in hosts)

    @property
    def mail_sender(self) -> str:
        """The address that the instance's own mail server sends under; empty where none is known."""
        return self.smtp_from or (self.smtp_username if "@" in self.smtp_username else "")

    @property
    def public_webhook_base(self) -> str:
        own = f"https://{self.webhook_host}" if self.webhook_host else f"http://localhost:{self.port}"
        return (self.webhook_base_url or own).rstrip("/")
