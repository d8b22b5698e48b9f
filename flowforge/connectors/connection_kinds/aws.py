"""aws: requests to the services of AWS, and to those that sign like them, by Signature Version 4.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

import re

from pydantic import field_validator

from flowforge.connectors.sdk import (
    AwsSignature,
    ConnectionKind,
    ConnectorConfig,
    Credentials,
    Request,
    field,
    secret,
)
from flowforge.sentences import sentence

_WORD = re.compile(r"[A-Za-z0-9._-]+")


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
            raise ValueError(sentence("must be letters, digits, '.', '_' and '-'"))
        return name


def _sign(request: Request, credentials: Credentials[AwsKeys]) -> Request:
    config = credentials.config
    keys = config.access_key_id, config.secret_access_key, config.session_token
    return AwsSignature(*keys, config.region, config.service).sign(request)


AWS = ConnectionKind(
    "aws",
    AwsKeys,
    title="AWS (Signature 4)",
    help="Keys of AWS, or of a service that signs like it.",
    icon="key",
    keywords=("aws", "amazon", "s3", "lambda", "sigv4"),
    sign=_sign,
)
