"""Signature Version 4, by which requests to AWS, and to what signs alike, are signed.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flowforge.connectors.errors import ConnectorError
from flowforge.connectors.http_client.request import Request

_NOT_SIGNED = {"cookie", "content-length", "accept-encoding"}
"""Headers that what is between may change, besides those that botocore leaves out."""


@dataclass(frozen=True, slots=True, repr=False)
class AwsSignature:
    access_key_id: str
    secret_access_key: str
    session_token: str
    """Empty for keys of one's own."""
    region: str
    service: str

    def sign(self, request: Request) -> Request:
        """Raises ConnectorError for a file, which is not read before it is sent, unless it goes to S3."""
        is_streamed = not request.body and request.header("content-length") not in ("", "0")
        if is_streamed and self.service != "s3":
            raise ConnectorError("a file cannot be signed for AWS; it can be sent to S3 alone", permanent=True)
        return request.with_headers(self._headers(request, is_streamed=is_streamed))

    def _headers(self, request: Request, *, is_streamed: bool) -> Mapping[str, str]:
        from botocore.auth import S3SigV4Auth, SigV4Auth  # here, since few need it, and it takes its time to load
        from botocore.awsrequest import AWSRequest
        from botocore.config import Config
        from botocore.credentials import Credentials

        keys = Credentials(self.access_key_id, self.secret_access_key, self.session_token or None)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_SIGNED}
        unsigned = AWSRequest(request.method, request.url, headers, request.body)
        unsigned.context["client_config"] = Config(s3={"payload_signing_enabled": not is_streamed})
        signer = S3SigV4Auth if self.service == "s3" else SigV4Auth
        signer(keys, self.service, self.region).add_auth(unsigned)
        return {name: str(value) for name, value in unsigned.headers.items() if headers.get(name) != value}
