"""Does the upstream accept the token? One harmless call tells."""

import http.client
import json
from dataclasses import dataclass
from typing import Any, Final

from proxy.access.keys import read_keys
from proxy.cli import exitcodes
from proxy.cli.http_call import Answer, call, listening, reason, to_listener, to_origin
from proxy.config import Config

TARGET: Final = "/api/v1/profile/get"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the call showed; `status` is None when no answer came."""

    sentence: str
    exit_code: int
    status: int | None = None

    def shape(self) -> dict[str, Any]:
        """Return it as JSON shows it."""
        return {
            "ok": self.exit_code == exitcodes.DONE,
            "status": self.status,
            "description": self.sentence,
        }


def verify_through(config: Config, listen: str) -> Verdict:
    """Call through the running proxy's own listener at `listen`."""
    fields = {}
    if config.access.local_key_file is not None:
        _, key = read_keys(config.access.local_key_file)[0]
        # The client of the standard library sends Latin-1, the listener reads UTF-8.
        fields["X-Proxy-Key"] = key.encode().decode("latin-1")
    patience = config.upstream.response_timeout + config.upstream.connect_timeout
    try:
        answer = call(
            to_listener(listening(listen), config.tls.certificate_file),
            "GET",
            TARGET,
            fields=fields,
            patience=patience,
        )
    except (OSError, http.client.HTTPException) as exc:
        return Verdict(
            f"the proxy's listener {listen} cannot be called: {reason(exc)}",
            exitcodes.FAILED,
        )
    if "Proxy-Status" in answer.fields:
        return _refused_here(answer)
    return _judge(answer)


def verify_directly(config: Config, access_token: str) -> Verdict:
    """Call the upstream without a proxy."""
    from proxy.app import tls_context

    upstream = config.upstream
    try:
        answer = call(
            to_origin(
                upstream.api_url,
                context=tls_context(upstream),
                egress_proxy=upstream.egress_proxy,
            ),
            "GET",
            TARGET,
            fields={"Authorization": f"Bearer {access_token}"},
            patience=upstream.response_timeout,
        )
    except (OSError, http.client.HTTPException) as exc:
        return Verdict(
            f"{upstream.api_url.host} cannot be reached: {reason(exc)}",
            exitcodes.UPSTREAM_UNREACHABLE,
        )
    return _judge(answer)


def _judge(answer: Answer) -> Verdict:
    status = answer.status
    if status < 300:
        return Verdict("the upstream accepts the token", exitcodes.DONE, status)
    if status == 401 or (status == 403 and _error_type(answer) == "oauth"):
        return Verdict(
            f"the upstream does not accept the token ({status}); run:"
            " telemed-proxy login",
            exitcodes.LOGIN_REQUIRED,
            status,
        )
    sentence = f"the upstream answered {status} to GET {TARGET}"
    # A fault of the upstream says nothing about the token.
    code = exitcodes.UPSTREAM_UNREACHABLE if status >= 500 else exitcodes.FAILED
    return Verdict(sentence, code, status)


def _refused_here(answer: Answer) -> Verdict:
    """Judge an answer that the proxy made itself."""
    kind = _error_type(answer)
    code = {
        "oauth": exitcodes.LOGIN_REQUIRED,
        "upstream": exitcodes.UPSTREAM_UNREACHABLE,
        "forbidden": exitcodes.CONFIG,
    }.get(kind, exitcodes.FAILED)
    described = _shape(answer).get("description")
    sentence = str(described or f"the proxy answered {answer.status}")
    return Verdict(sentence, code, answer.status)


def _error_type(answer: Answer) -> str:
    return str(_shape(answer).get("type"))


def _shape(answer: Answer) -> dict[str, Any]:
    try:
        shape = json.loads(answer.content)
    except ValueError:
        return {}
    return shape if isinstance(shape, dict) else {}
