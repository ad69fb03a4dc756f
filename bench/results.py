"""What was measured: lists of values by section, case, subject and metric.

One shape for everything, such as `requests`, `64 clients`, `nginx`, `cpu`: rows add to
it, goals and tables read it, and it is one JSON file.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

Metrics = dict[str, list[float]]
Subjects = dict[str, Metrics]
Cases = dict[str, Subjects]


@dataclass
class Results:
    """All values of a run, and what it ran on."""

    machine: dict[str, str] = field(default_factory=dict)
    programs: dict[str, str] = field(default_factory=dict)
    sections: dict[str, Cases] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    """Who could not take part, and why."""

    def add(
        self, section: str, case: str, subject: str, metric: str, *values: float
    ) -> None:
        """Append `values` to those that are there."""
        cases = self.sections.setdefault(section, {})
        metrics = cases.setdefault(case, {}).setdefault(subject, {})
        metrics.setdefault(metric, []).extend(values)

    def get(self, section: str, case: str, subject: str, metric: str) -> list[float]:
        """Return the values; an empty list where nothing was measured."""
        subjects = self.sections.get(section, {}).get(case, {})
        return subjects.get(subject, {}).get(metric, [])

    def cases(self, section: str) -> list[str]:
        """Return the cases of `section` in the order they were measured."""
        return list(self.sections.get(section, {}))

    def subjects(self, section: str) -> list[str]:
        """Return who was measured in `section`, in order."""
        seen: dict[str, None] = {}
        for subjects in self.sections.get(section, {}).values():
            seen.update(dict.fromkeys(subjects))
        return list(seen)

    def forget(self, section: str) -> None:
        """Drop what is about to be measured again."""
        self.sections.pop(section, None)

    def save(self, path: Path) -> None:
        """Write it all to `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(vars(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Results":
        """Return what was saved; nothing where there is no file."""
        if not path.exists():
            return cls()
        return cls(**json.loads(path.read_text(encoding="utf-8")))
