"""A request as a Python program with `requests`. Pure."""

from proxy.journal.command_parts import Call
from proxy.journal.shell import to_bytes

_DEFAULTS = ("User-Agent", "Accept-Encoding", "Accept", "Connection")


def python(call: Call) -> str:
    """Return the program; the local key is read from the environment, as `KEY`."""
    lines = [f"# {remark}" for remark in call.remarks]
    if call.socket is not None:
        lines.append("# requests cannot call a Unix socket: curl can.")
    if not call.is_kept_by_requests:
        lines.append("# requests sends the target in another form: curl does not.")
    lines += ["import os", ""] if call.needs_key else []
    fields = _fields(call)
    lines.append("import requests")
    if "SKIP_HEADER" in fields.values():
        lines.append("from urllib3.util import SKIP_HEADER")
    lines += ["", f"url = {call.url!r}", "headers = {"]
    lines += [f"    {name!r}: {value}," for name, value in fields.items()]
    lines += ["}", *_content(call)]
    data = "" if call.content is None else ", data=content"
    lines += [
        f"request = requests.Request({call.method!r}, url, headers=headers{data})",
        "with requests.Session() as session:",
        "    prepared = session.prepare_request(request)",
    ]
    if call.has_dots or not call.is_kept_by_requests:
        lines.append("    prepared.url = url  # as it is")
    lines += [
        "    response = session.send(prepared, allow_redirects=False)",
        "print(response.status_code, response.text)",
    ]
    return "\n".join(lines)


def _fields(call: Call) -> dict[str, str]:
    """Return the fields as the program writes them, with what turns defaults off."""
    values: dict[str, list[str]] = {}
    names: dict[str, str] = {}
    for name, value in call.fields:
        # A dictionary has each name once; lists may be joined (RFC 9110, 5.3).
        values.setdefault(name.lower(), []).append(value)
        names.setdefault(name.lower(), name)
    shown = {
        names[name]: _value("; " if name == "cookie" else ", ", each)
        for name, each in values.items()
    }
    for name in _DEFAULTS:
        if name.lower() not in names:
            shown[name] = "SKIP_HEADER" if name in _DEFAULTS[:2] else "None"
    if call.needs_key:
        shown["X-Proxy-Key"] = 'os.environ["KEY"]'
    return shown


def _value(separator: str, values: list[str]) -> str:
    joined = separator.join(values)
    return repr(joined) if joined.isascii() else repr(to_bytes(joined))


def _content(call: Call) -> list[str]:
    if call.content is None:
        return []
    try:
        text = call.content.decode()
    except UnicodeDecodeError:
        return [f"content = {call.content!r}"]
    return [f"content = {text!r}.encode()"]
