"""What `check` finds out: one line each, and what it means for the exit code."""

from collections.abc import Iterable
from dataclasses import dataclass

from proxy.cli import exitcodes


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; `mend` is empty when it is well."""

    subject: str
    seen: str
    mend: str = ""
    exit_code: int = exitcodes.DONE

    @property
    def ok(self) -> bool:
        """Whether there is nothing to mend."""
        return not self.mend

    def line(self) -> str:
        """Return the line that is printed."""
        text = f"{'ok  ' if self.ok else 'FAIL'} {self.subject}: {self.seen}"
        return text if self.ok else f"{text} → {self.mend}"


def ok(subject: str, seen: str) -> Finding:
    """Return that `subject` is well."""
    return Finding(subject, seen)


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
