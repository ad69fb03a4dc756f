"""Words and content as a POSIX shell reads them back, byte for byte. Pure."""

import re
from collections.abc import Iterable
from typing import Final

_PLAIN = re.compile(r"[\w%+,./:=@-]+", re.ASCII)

ARGUMENT_LIMIT: Final = 64 * 1024
"""Linux takes no argument over 128 KiB, and no terminal likes a line as long."""

_LINE: Final = 72


def to_bytes(text: str) -> bytes:
    """Return a field's value, or a target, as the bytes that it came as."""
    return text.encode("utf-8", "surrogateescape")


def word(text: str) -> str:
    """Return `text` as one word of the shell.

    What no terminal shows, or what pasting would change, is written in octal.
    """
    if _PLAIN.fullmatch(text):
        return text
    if text.isprintable():
        return quoted(text)
    return f'"$({printf(to_bytes(text))})"'


def quoted(text: str) -> str:
    """Return `text` in single quotes, within which only they mean something."""
    return "'" + text.replace("'", "'\\''") + "'"


def can_be_quoted(data: bytes) -> bool:
    """Return whether `data` can be one argument in quotes, and be read by people."""
    if len(data) > ARGUMENT_LIMIT:
        return False
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return text.replace("\n", "").isprintable()


def printf(data: bytes) -> str:
    """Return the command that writes `data`, which is short."""
    return f"printf '{_escaped(data)}'"


def printf_lines(data: bytes) -> str:
    """Return a command that writes `data` of any size, in readable lines."""
    lines = [f"printf '{line}'" for line in _lines(data)]
    if len(lines) == 1:
        return lines[0]
    return "\n".join(["{", *(f"  {line}" for line in lines), "}"])


def _lines(data: bytes) -> Iterable[str]:
    line = ""
    for byte in data:
        # The first character could be taken for an option.
        line += r"\055" if byte == 0x2D and not line else _OCTAL[byte]
        if len(line) >= _LINE:
            yield line
            line = ""
    if line or not data:
        yield line


def _escaped(data: bytes) -> str:
    text = "".join(_OCTAL[byte] for byte in data)
    return r"\055" + text[1:] if text.startswith("-") else text


# In a format, \ and % mean something, and the quotes end it. Within other quotes, an
# interactive shell looks for the ! of its history.
_OCTAL: Final = [
    chr(byte) if 0x20 <= byte < 0x7F and chr(byte) not in "\\%'!" else f"\\{byte:03o}"
    for byte in range(256)
]


def joined(words: list[str]) -> str:
    """Return a command of `words`, broken into lines where it is long.

    Each word is an option with its value, or an argument.
    """
    one_line = " ".join(words)
    if len(one_line) <= _LINE and "\n" not in one_line:
        return one_line
    return " \\\n  ".join(words)
