"""The bundle that goes with a bug report: what happened, and under which settings."""

import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any, Final

from proxy.config import Config, Section
from proxy.config.section import Setting
from proxy.redaction import MASK, redact_data, redact_text

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say; the same report is the same bytes."""

_CLIENT_ID_SHOWN: Final = 4
_SIZES: Final = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024), ("B", 1))

_COLUMN: Final = " " * 15
_README: Final = """\
A report about telemed-proxy. Look through it before you pass it on.

exchanges.har  {count} requests with their answers, for a browser's developer tools
               or any other reader of HTTP archives.
{comment}
config.yaml    The settings in effect, defaults included. Passwords are masked, of the
               client_id only the last four digits are shown, and ~ stands for the
               home folder. Keys and tokens are in other files, which are not here.
versions.txt   The proxy, and what it runs on.
status.json    The state of the login and the dates of its tokens, without the tokens.
"""


def bundle(
    archive: dict[str, Any], about: dict[str, str], config: str, status: dict[str, Any]
) -> bytes:
    """Return the zip file of a report.

    `archive` is an HTTP archive, masked or not; `about` holds versions by their names;
    `config` is what `config_text` returns; `status` is what the admin API tells.
    """
    log = archive["log"]
    files = {
        "README.txt": _README.format(
            count=len(log["entries"]), comment=_wrapped(log.get("comment", ""))
        ),
        "config.yaml": config,
        "exchanges.har": _json(archive),
        "status.json": _json(redact_data(status)),
        "versions.txt": "".join(
            f"{name}: {redact_text(value)}\n" for name, value in about.items()
        ),
    }
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in files.items():
            entry = zipfile.ZipInfo(f"telemed-proxy-report/{name}", _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16  # personal, where it is unpacked too
            packed.writestr(entry, text.encode("utf-8", "replace"))
    return written.getvalue()


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def _wrapped(comment: str) -> str:
    from textwrap import fill  # for this alone

    return fill(comment, 72, initial_indent=_COLUMN, subsequent_indent=_COLUMN)


def config_text(config: Config, *, home: Path | None = None) -> str:
    """Return the settings in effect as YAML, without secrets.

    Paths below `home`, which is this user's unless given, are written with ~.
    """
    folder = str(Path.home() if home is None else home).rstrip("/\\")
    return "\n".join(_section_lines(config, folder, "")) + "\n"


def _section_lines(section: Section, home: str, indent: str) -> list[str]:
    lines = []
    for name, setting in section.settings.items():
        value = getattr(section, name)
        if isinstance(value, Section):
            lines += [f"{indent}{name}:", *_section_lines(value, home, indent + "  ")]
        else:
            shown = _with_unit(setting, value) or _value(name, value, home)
            lines.append(f"{indent}{name}: {shown}")
    return lines


def _with_unit(setting: Setting, value: object) -> str | None:
    """Return a duration or a size as the file has it; None when it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    milliseconds = round(value * 1000)
    whole = [f"{milliseconds // 1000}s"] if milliseconds % 1000 == 0 else []
    sizes = [f"{value // size}{unit}" for unit, size in _SIZES if value % size == 0]
    # Of what it could be, it is what is read as this value.
    for text in (*whole, f"{milliseconds}ms", *map(str, sizes)):
        try:
            if setting.parse(text) == value:
                return text
        except ValueError:
            continue
    return None


def _value(name: str, value: object, home: str) -> str:
    # JSON's texts, numbers and lists are YAML's too.
    if isinstance(value, tuple):
        return f"[{', '.join(_value(name, each, home) for each in value)}]"
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    text = str(value)
    if name == "client_id" and text:
        text = MASK + text[-_CLIENT_ID_SHOWN:] if len(text) > 8 else MASK
    return json.dumps(_without_secrets(text, home), ensure_ascii=False)


def _without_secrets(text: str, home: str) -> str:
    # A password may have any character in it, so up to the last @.
    text = re.sub(r"(//).*@", rf"\1{MASK}@", text)
    if not home:
        return text
    return re.sub(rf"{re.escape(home)}(?=[/\\]|$)", "~", text)
