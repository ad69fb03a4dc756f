"""What `/metrics` says, as far as names go."""

import re
from dataclasses import dataclass, field

_SAMPLE = re.compile(r"^(\w+?)(?:\{(.*)\})? \S+$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass
class Scraped:
    """The metrics there are, and the values that each label of theirs has."""

    labels: dict[str, dict[str, set[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str) -> "Scraped":
        """Return what stands in an exposition of Prometheus."""
        scraped = cls()
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split()
                if kind in ("counter", "gauge"):
                    scraped.labels[name] = {}
                continue
            sample = _SAMPLE.match(line)
            if sample is not None:
                labels = scraped.labels.setdefault(sample[1], {})
                for name, value in _LABEL.findall(sample[2] or ""):
                    labels.setdefault(name, set()).add(value)
        return scraped
