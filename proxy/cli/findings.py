"""What `check` finds out: one line each, and what it means for the exit code."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from proxy.cli import exitcodes

Result = Literal["ok", "note", "fail"]

_WORDS: dict[Result, str] = {"ok": "ok  ", "note": "note", "fail": "FAIL"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` is empty when there is nothing to mend."""

    subject: str
    seen: str
    mend: str = ""
    exit_code: int = exitcodes.DONE
    notable: bool = False
    """It is well, and good to know all the same."""

    @property
    def ok(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.mend

    @property
    def result(self) -> Result:
        """What it comes to, in a word."""
        if not self.ok:
            return "fail"
        return "note" if self.notable else "ok"

    def line(self) -> str:
        """Return the line that is printed."""
        text = f"{_WORDS[self.result]} {self.subject}: {self.seen}"
        return text if self.ok else f"{text} → {self.mend}"

    def shape(self) -> dict[str, str | None]:
        """Return the members of the JSON object that scripts get."""
        return {
            "result": self.result,
            "subject": self.subject,
            "seen": self.seen,
            "mend": self.mend or None,
        }


def ok(subject: str, seen: str) -> Finding:
    """Return that `subject` is well."""
    return Finding(subject, seen)


def note(subject: str, seen: str) -> Finding:
    """Return what is good to know of `subject`, though nothing is to be mended."""
    return Finding(subject, seen, notable=True)


def wrong(subject: str, seen: str, mend: str) -> Finding:
    """Return that something on this machine is to be mended."""
    return Finding(subject, seen, mend, exitcodes.CONFIG)


def unreachable(subject: str, seen: str, mend: str) -> Finding:
    """Return that the upstream, or the way to it, is at fault."""
    return Finding(subject, seen, mend, exitcodes.UPSTREAM_UNREACHABLE)


def exit_code_of(findings: Iterable[Finding]) -> int:
    """Return the code of the first kind of fault: what is ours comes first."""
    codes = {finding.exit_code for finding in findings} - {exitcodes.DONE}
    return min(codes, default=exitcodes.DONE)
