"""Certificates for tests of our own TLS listeners, made as users make them."""

import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from proxy.issuing import CertificateFiles, issue, now_utc


def made(
    folder: Path, names: Sequence[str] = (), *, days_ago: int = 0, anew: bool = False
) -> CertificateFiles:
    """Return the files that `telemed-proxy cert` makes, or renews, in `folder`."""
    files = CertificateFiles(folder)
    issue(files, names, now=now_utc() - timedelta(days=days_ago), new_authority=anew)
    return files


def trusting(files: CertificateFiles) -> ssl.SSLContext:
    """Return the context of a client that trusts the authority, and no other."""
    return ssl.create_default_context(cafile=files.authority)
