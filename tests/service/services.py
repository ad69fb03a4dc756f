"""Services to plan with, made of a config as somebody writes it."""

from dataclasses import replace
from typing import Any

from proxy.config import Config
from proxy.service.plan import Service

PROGRAM = ("/opt/telemed-proxy/bin/telemed-proxy",)
CONFIG_FILE = "/etc/telemed-proxy/config.yaml"
SECRETS = {
    "store": {"encryption_key_file": "/etc/telemed-proxy/store key"},
    "access": {"local_key_file": "/etc/telemed-proxy/keys"},
    "admin": {"password_file": "/etc/telemed-proxy/100%"},
    "tls": {"key_file": "/etc/tls/key", "certificate_file": "/etc/tls/certificate"},
}


def service(settings: dict[str, Any] | None = None, **more: Any) -> Service:
    config = Config.parse({"store": {"url": "redis://127.0.0.1/0"}} | (settings or {}))
    usual = Service(PROGRAM, CONFIG_FILE, config)
    return replace(usual, **more)
