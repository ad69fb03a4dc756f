"""A request as a command of HTTPie, for a POSIX shell. Pure."""

import re

from proxy.journal.command_parts import Call
from proxy.journal.shell import can_be_quoted, joined, printf_lines, quoted, word

# What could stand between a name and a value, were it not for a backslash.
_SPECIAL = re.compile(r"\\(?=[:=@;])")
_ADDED = ("User-Agent", "Accept", "Accept-Encoding")


def httpie(call: Call) -> str:
    """Return the command; the local key in it is `$KEY`.

    There are only remarks when HTTPie would take the method for something else.
    """
    if re.fullmatch("[A-Za-z]+", call.method) is None:
        return "# HTTPie takes only letters for a method: curl takes this one."
    remarks, words = list(call.remarks), ["http"]
    if call.socket is not None:
        remarks.append("HTTPie cannot call a Unix socket: curl can.")
    if call.method != call.method.upper():
        remarks.append("HTTPie writes the method in capitals: curl does not.")
    if not call.is_kept_by_requests:
        remarks.append("HTTPie sends the target in another form: curl does not.")
    if call.has_dots:
        words.append("--path-as-is")
    before = ""
    if call.content is None:
        words.append("--ignore-stdin")
    elif call.content and can_be_quoted(call.content):
        words += ["--ignore-stdin", f"--raw={quoted(call.content.decode())}"]
    else:
        before = f"{printf_lines(call.content)} |\n"
    words += [word(call.method), word(call.url), *_fields(call, remarks)]
    return "".join(f"# {remark}\n" for remark in remarks) + before + joined(words)


def _fields(call: Call, remarks: list[str]) -> list[str]:
    items = []
    for name, value in call.fields:
        if name.startswith("-"):
            remarks.append("HTTPie takes a field with - before its name for an option.")
        elif _SPECIAL.search(value) or _is_broken(value):
            remarks.append(f"HTTPie cannot send the value of {name}: it is left out.")
        elif value:
            # Behind the name, = and @ would ask for JSON and for a file.
            guard = "\\" if value[0] in "=@" else ""
            items.append(word(f"{name}:{guard}{value}"))
        else:
            items.append(word(f"{name};"))
    added = [*_ADDED, *(["Content-Type"] if call.content is not None else [])]
    items += [f"{name}:" for name in added if not call.has(name.lower())]
    if call.needs_key:
        items.append('"X-Proxy-Key:$KEY"')
    return items


def _is_broken(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return True
    return False
