"""The cert command: TLS for the listeners, by an authority of this machine's own."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from proxy.cli import exitcodes
from proxy.cli.command import Command

if TYPE_CHECKING:
    from proxy.issuing import CertificateFiles

# The authority is PEM; Windows and macOS take it as it is.
_TRUST = """\
To have it trusted, by one program or by all of this machine:
  curl, for one call:  curl --cacert {authority} https://localhost:8443/
  Debian, Ubuntu:      sudo cp {authority} \
/usr/local/share/ca-certificates/telemed-proxy.crt && sudo update-ca-certificates
  Fedora, RHEL:        sudo trust anchor {authority}
  macOS:               security add-trusted-cert -r trustRoot -p ssl \
-k ~/Library/Keychains/login.keychain-db {authority}
  Windows:             certutil -user -addstore Root {authority}
  Node.js:             NODE_EXTRA_CA_CERTS={authority}
  Python requests:     REQUESTS_CA_BUNDLE={authority}
  Java:                keytool -importcert -cacerts -alias telemed-proxy -file \
{authority}
"""

_TRUSTED = """\
The authority is the same: whoever trusts {authority} needs nothing new.
"""

_FURTHER = """\
The authority may sign for these names only. To add one later, name them all again with
--new-authority, and have the new authority trusted.
"""


def host_name(text: str) -> str:
    """Return a name or address that the certificate shall hold."""
    from proxy.config import parse_host_name

    try:
        name = parse_host_name(text).strip("[]")
        # In a certificate, names are ASCII.
        return name if ":" in name else name.encode("idna").decode("ascii")
    except (ValueError, UnicodeError) as exc:
        raise click.BadParameter(
            "must be a host name or address such as proxy.example or 192.168.1.5"
        ) from exc


@click.command(
    cls=Command,
    examples=[
        "telemed-proxy cert",
        "telemed-proxy cert proxy.example 192.168.1.5 --new-authority",
    ],
)
@click.argument("names", metavar="[NAME]...", nargs=-1, type=host_name)
@click.option(
    "--folder",
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go. Else the platform's state folder.",
)
@click.option(
    "--new-authority",
    is_flag=True,
    help="Replace the authority; whoever trusts the old one has to trust the new one.",
)
def cert(names: tuple[str, ...], folder: Path | None, new_authority: bool) -> int:
    """Make a certificate for localhost, 127.0.0.1, ::1 and each NAME.

    It is signed by an authority of this machine's own, which is made the first time
    and may sign for these names only. Run it again to renew the certificate: a
    running proxy takes it up by itself.
    """
    from proxy.config import default_certificate_folder
    from proxy.issuing import LOCAL_NAMES, CertificateFiles, issue, now_utc

    files = CertificateFiles(folder or default_certificate_folder())
    files = CertificateFiles(files.folder.expanduser().absolute())
    issued = issue(files, names, now=now_utc(), new_authority=new_authority)
    what = "a new authority" if issued.new_authority else "the authority there was"
    click.echo(f"Made a certificate for {', '.join(issued.names)}, by {what}.")
    click.echo(f"It is valid until {issued.ends:%Y-%m-%d}; run this again before.\n")
    further = [name for name in issued.names if name not in LOCAL_NAMES]
    click.echo(_config_lines(files, further))
    trust = _TRUST if issued.new_authority else _TRUSTED
    click.echo(trust.format(authority=files.authority), nl=False)
    if further and issued.new_authority:
        click.echo(f"\n{_FURTHER}", nl=False)
    return exitcodes.DONE


def _config_lines(files: "CertificateFiles", further: list[str]) -> str:
    names = ", ".join(f'"{name}"' for name in further)
    return (
        "In the config, next to what is in listen already:\n"
        '  listen: [127.0.0.1:8080, "https://127.0.0.1:8443"]\n'
        "  tls:\n"
        f'    certificate_file: "{files.certificate}"\n'
        f'    key_file: "{files.key}"\n'
    ) + (f"  access:\n    allowed_hosts: [{names}]\n" if names else "")
