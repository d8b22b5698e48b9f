"""aws: requests to the services of AWS, and to those that sign like them, by Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import field_validator

from flowforge.connectors.sdk import (
    ConnectionKind,
    ConnectorConfig,
    ConnectorError,
    Credentials,
    Request,
    field,
    secret,
)

_WORD = re.compile(r"[A-Za-z0-9._-]+")
_NOT_SIGNED = {"cookie", "content-length", "accept-encoding"}
"""Headers that what is between may change, besides those that botocore leaves out."""


class AwsKeys(ConnectorConfig):
    access_key_id: str = field(title="Access key id")
    secret_access_key: str = secret(title="Secret access key")
    session_token: str = secret("", title="Session token", description="Of keys that are lent for a time.")
    region: str = field("us-east-1", title="Region")
    service: str = field(title="Service", description="As it is signed: s3, execute-api, lambda, sqs, bedrock, ...")

    @field_validator("region", "service")
    @classmethod
    def _require_word(cls, name: str) -> str:
        if not _WORD.fullmatch(name):
            raise ValueError("must be letters, digits, '.', '_' and '-'")
        return name


def _sign(request: Request, credentials: Credentials[AwsKeys]) -> Request:
    """Raises ConnectorError for a file, which is not read before it is sent, unless it goes to S3."""
    config = credentials.config
    is_streamed = not request.body and _header(request, "content-length") not in ("", "0")
    if is_streamed and config.service != "s3":
        raise ConnectorError("a file cannot be signed for AWS; it can be sent to S3 alone", permanent=True)
    return request.with_headers(_signed_headers(request, config, is_streamed=is_streamed))


def _signed_headers(request: Request, config: AwsKeys, *, is_streamed: bool) -> Mapping[str, str]:
    from botocore.auth import S3SigV4Auth, SigV4Auth  # here, since few need it, and it takes its time to load
    from botocore.awsrequest import AWSRequest
    from botocore.config import Config
    from botocore.credentials import Credentials as AwsCredentials

    keys = AwsCredentials(config.access_key_id, config.secret_access_key, config.session_token or None)
    headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_SIGNED}
    unsigned = AWSRequest(request.method, request.url, headers, request.body)
    unsigned.context["client_config"] = Config(s3={"payload_signing_enabled": not is_streamed})
    signer = S3SigV4Auth if config.service == "s3" else SigV4Auth
    signer(keys, config.service, config.region).add_auth(unsigned)
    return {name: str(value) for name, value in unsigned.headers.items() if headers.get(name) != value}


def _header(request: Request, wanted: str) -> str:
    return next((value for name, value in request.headers.items() if name.lower() == wanted), "")


AWS = ConnectionKind(
    "aws",
    AwsKeys,
    title="AWS (Signature 4)",
    help="Keys of AWS, or of a service that signs like it.",
    icon="key",
    keywords=("aws", "amazon", "s3", "lambda", "sigv4"),
    sign=_sign,
)
