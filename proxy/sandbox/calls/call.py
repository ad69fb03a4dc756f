"""One call as the functions of the API see it: who, when, and with what arguments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from proxy.sandbox.answers import ApiError, bad_argument, not_found
from proxy.sandbox.data.dates import parse_date
from proxy.sandbox.data.patient import Consultation, Media, Patient
from proxy.sandbox.data.world import World
from proxy.sandbox.multipart import Part

DEFAULT_LIMIT = 10
LARGEST_LIMIT = 100
_WHOLE = re.compile(r"-?\d{1,15}")
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class Arguments:
    """Named arguments of a query or of a JSON body, with names in any case."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    @classmethod
    def from_query(cls, raw: str) -> "Arguments":
        """Return the arguments of a raw query; a plus stays a plus."""
        pairs = (part.partition("=") for part in raw.split("&") if part)
        return cls({unquote(name): unquote(value) for name, _, value in pairs})

    def has(self, name: str) -> bool:
        """Return whether the argument was given, and is not null or empty."""
        return self._values.get(name.lower()) not in (None, "")

    def text(self, name: str, *, longest: int = 4000) -> str:
        """Return a text argument, which must be given."""
        value = self._values.get(name.lower())
        if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
            raise bad_argument(name, f"Не указан или неверен параметр {name}.")
        if len(str(value)) > longest:
            raise bad_argument(name, f"Параметр {name} длиннее {longest} символов.")
        return str(value)

    def whole(self, name: str) -> int:
        """Return a whole number, which must be given."""
        text = self.text(name)
        if not _WHOLE.fullmatch(text):
            raise bad_argument(name, f"Параметр {name} должен быть целым числом.")
        return int(text)

    def truth(self, name: str, *, default: bool) -> bool:
        """Return a boolean argument."""
        value = self._values.get(name.lower())
        if isinstance(value, bool):
            return value
        if value in (None, ""):
            return default
        if str(value).lower() not in _TRUTH:
            raise bad_argument(name, f"Параметр {name} должен быть true или false.")
        return _TRUTH[str(value).lower()]

    def date(self, name: str) -> float:
        """Return the instant of a date argument, which must be given."""
        try:
            return parse_date(self.text(name))
        except ValueError:
            described = f"Параметр {name} должен быть датой ISO 8601."
            raise bad_argument(name, described) from None

    def texts(self, name: str) -> list[str]:
        """Return a list of ids; one alone counts as a list of one."""
        value = self._values.get(name.lower())
        if value in (None, ""):
            return []
        values = value if isinstance(value, list) else str(value).split(",")
        if not all(isinstance(each, str | int) for each in values):
            raise bad_argument(name, f"Параметр {name} должен быть списком.")
        return [str(each) for each in values]

    def given(self) -> dict[str, Any]:
        """Return everything by its lower-case name."""
        return dict(self._values)


@dataclass(slots=True)
class Call:
    """An authorized call of `patient` at `now`."""

    world: World
    patient: Patient
    now: float
    path: dict[str, str]
    query: Arguments
    body: Arguments
    parts: list[Part] = field(default_factory=list)

    @property
    def paging(self) -> tuple[int, int]:
        """`limit` and `offset` of the query."""
        limit = self._bounded("limit", DEFAULT_LIMIT, 1, LARGEST_LIMIT)
        return limit, self._bounded("offset", 0, 0, 10**9)

    def either(self, *names: str) -> tuple[str, Arguments]:
        """Return the first of `names` that was given, and where: body or query."""
        for name in names:
            for arguments in (self.body, self.query):
                if arguments.has(name):
                    return name, arguments
        return names[0], self.body

    def consultation(self, kind: str | None = None) -> Consultation:
        """Return the consultation that path, query or body names."""
        if "id" in self.path:
            number = Arguments(self.path).whole("id")
        else:
            name, arguments = self.either("requestId", "id")
            number = arguments.whole(name)
        return self.own_consultation(number, kind)

    def own_consultation(self, number: int, kind: str | None = None) -> Consultation:
        """Return a consultation of this patient."""
        owner = self.world.owner_of(number)
        if owner is not None and owner is not self.patient:
            described = "Обращение принадлежит другому пациенту."
            raise ApiError(403, "forbidden", "request", described)
        found = self.patient.consultations.get(number)
        if found is None or kind not in (None, found.kind):
            raise not_found("request", f"Обращение {number} не найдено.")
        return found

    def attachments(self) -> list[Media]:
        """Return the uploaded files that `attachmentIds` names."""
        found = []
        for media_id in self.body.texts("attachmentIds"):
            media = self.patient.media.get(media_id)
            if media is None:
                raise not_found("media", f"Файл {media_id} не найден.")
            found.append(media)
        return found

    def _bounded(self, name: str, default: int, low: int, high: int) -> int:
        if not self.query.has(name):
            return default
        value = self.query.whole(name)
        if not low <= value <= high:
            raise bad_argument(name, f"Параметр {name}: от {low} до {high}.")
        return value
