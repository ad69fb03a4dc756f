"""How an exchange looks as a line of a terminal. Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import click

Summary = Mapping[str, Any]
"""An exchange as the journal lists it."""

NARROWEST: Final = 10
"""Columns that a target gets even where the terminal has no room for them."""

_COLORS: Final = {1: "cyan", 2: "green", 3: "cyan", 4: "yellow"}
_CUT: Final = "..."
_METHOD: Final = 7


def line(summary: Summary, *, width: int | None = None, color: bool = False) -> str:
    """Return the line of an exchange; one that failed has a second that says why.

    `width` is that of the terminal, in columns. Without one nothing is cut, and there
    is no second line: a program that reads lines wants one of each.
    """
    columns = [
        _time(summary["started"]),
        _status(summary),
        f"{safe(summary['method']):{_METHOD}}",
        f"{_duration(summary):>8}",
        f"{size(summary['sent']):>8}",
    ]
    begin, notes = " ".join(columns), _notes(summary)
    target = safe(summary["target"])
    if width is not None:
        room = width - len(begin) - len(notes) - 1
        target = _cut(target, max(NARROWEST, room))
    text = f"{begin} {target}{notes}"
    told = _failure(summary)
    if told:
        text += f"\n    {told}" if width is not None else f"  {told}"
    return _painted(text, summary) if color else text


def json_line(summary: Summary) -> str:
    """Return an exchange as one line of JSON that no terminal takes for commands."""
    text = json.dumps(summary, ensure_ascii=False)
    # Outside its strings JSON has nothing that would not be printable.
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def safe(text: str) -> str:
    r"""Return `text` with all that could command a terminal as `\x1b`."""
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def size(count: int) -> str:
    """Return a count of bytes as people say it."""
    if count < 1000:
        return f"{count} B"
    shown, units = count / 1000, iter("kMG")
    unit = next(units)
    while shown >= 999.5 and unit != "G":
        shown, unit = shown / 1000, next(units)
    return f"{shown:.1f} {unit}B" if shown < 9.95 else f"{shown:.0f} {unit}B"


def duration(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 0.00995:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.0f} s"


def _time(started: str) -> str:
    return f"{datetime.fromisoformat(started).astimezone():%H:%M:%S.%f}"[:-3]


def _status(summary: Summary) -> str:
    if summary["status"]:
        return f"{summary['status']:3}"
    return "..." if summary["running"] else "---"


def _duration(summary: Summary) -> str:
    return "running" if summary["running"] else duration(summary["seconds"])


def _notes(summary: Summary) -> str:
    notes = [safe(summary["caller"])] if summary["caller"] else []
    if summary["answered_by"] == "proxy":
        notes.append("by proxy")
    notes += [name for name in ("replayed", "resent", "paid") if summary[name]]
    return f"  ({', '.join(notes)})" if notes else ""


def _has_failed(summary: Summary) -> bool:
    return summary["error"] is not None or summary["status"] >= 400


def _failure(summary: Summary) -> str:
    if summary["running"] or not _has_failed(summary):
        return ""
    return safe(summary["why"] or summary["error"] or "")


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - len(_CUT)] + _CUT


def _painted(text: str, summary: Summary) -> str:
    if summary["running"]:
        return click.style(text, dim=True)
    cut = summary["error"] is not None and summary["status"] < 400
    color = "red" if cut else _COLORS.get(summary["status"] // 100, "red")
    return click.style(text, fg=color)
