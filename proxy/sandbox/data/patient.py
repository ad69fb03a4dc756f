"""One patient's state: profile, consultations, messages, media, money."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from proxy.sandbox.data.dates import written
from proxy.sandbox.data.doctors import Doctor

Json = dict[str, Any]

KINDS = ("callback", "writing", "voip")
WAITING, RUNNING = "waiting", "inProgress"
COMPLETED, TERMINATED = "completed", "terminated"
CANCELLED, ABORTED = "cancelled", "aborted"
ACTIVE = (WAITING, RUNNING)
STATUS_NAMES = {
    WAITING: "Ожидает врача",
    RUNNING: "Идёт консультация",
    COMPLETED: "Завершена",
    TERMINATED: "Прервана пациентом",
    CANCELLED: "Отменена",
    ABORTED: "Остановлена пациентом",
}


@dataclass(slots=True)
class Media:
    """A file: `content` is an upload's, `make` makes that of an invented one."""

    id: str
    file_name: str
    content_type: str
    size: int
    created_at: float
    content: bytes | None = field(default=None, repr=False)
    make: Callable[[], bytes] | None = field(default=None, repr=False)

    def read(self) -> bytes | None:
        """Return the content, or None when it is no longer kept."""
        return self.make() if self.make is not None else self.content

    def shown(self) -> Json:
        """Return what the lists show."""
        return {
            "id": self.id,
            "fileName": self.file_name,
            "contentType": self.content_type,
            "size": self.size,
            "created": written(self.created_at),
            "url": f"/api/v1/media/get/{self.id}",
        }


@dataclass(slots=True)
class Message:
    """A line of the conversation in one consultation."""

    id: int
    request_id: int
    from_patient: bool
    text: str
    created_at: float
    is_read: bool
    attachments: list[Media] = field(default_factory=list)

    def shown(self) -> Json:
        """Return what the lists show."""
        return {
            "id": self.id,
            "requestId": self.request_id,
            "author": "patient" if self.from_patient else "doctor",
            "text": self.text,
            "created": written(self.created_at),
            "isRead": self.is_read,
            "attachments": [media.shown() for media in self.attachments],
        }


@dataclass(slots=True)
class Consultation:
    """A consultation request, of one of the three kinds."""

    id: int
    kind: str
    doctor: Doctor
    status: str
    created_at: float
    price: int
    text: str = ""
    phone: str = ""
    ended_at: float | None = None
    report: Json | None = None
    feedback: Json | None = None
    messages: list[Message] = field(default_factory=list)
    attachments: list[Media] = field(default_factory=list)

    @property
    def unread(self) -> int:
        """How many of the doctor's messages the patient has not read."""
        return sum(not m.is_read and not m.from_patient for m in self.messages)

    def shown(self) -> Json:
        """Return what lists and single answers show."""
        shown: Json = {
            "id": self.id,
            "type": self.kind,
            "status": self.status,
            "statusName": STATUS_NAMES[self.status],
            "created": written(self.created_at),
            "ended": None if self.ended_at is None else written(self.ended_at),
            "doctor": self.doctor.short(),
            "price": self.price,
            "currency": "RUB",
            "hasMedicalReport": self.report is not None,
            "attachments": [media.shown() for media in self.attachments],
            "feedback": self.feedback,
        }
        return shown | self._of_kind()

    def _of_kind(self) -> Json:
        if self.kind == "writing":
            return {"text": self.text, "unreadCount": self.unread}
        if self.kind == "callback":
            return {"phone": self.phone, "text": self.text}
        return {"roomId": f"room-{self.id}", "text": self.text}


@dataclass(slots=True)
class Operation:
    """Money that came or went."""

    id: int
    kind: str
    amount: int
    created_at: float
    description: str
    request_id: int | None = None

    def shown(self) -> Json:
        """Return what the list shows."""
        return {
            "id": self.id,
            "type": self.kind,
            "amount": self.amount,
            "currency": "RUB",
            "created": written(self.created_at),
            "description": self.description,
            "requestId": self.request_id,
        }


@dataclass(slots=True)
class Patient:
    """Everything that belongs to one phone."""

    phone: str
    profile: Json
    balance: int
    consultations: dict[int, Consultation] = field(default_factory=dict)
    operations: list[Operation] = field(default_factory=list)
    media: dict[str, Media] = field(default_factory=dict)
    subscriptions: dict[str, Json] = field(default_factory=dict)
    shares: list[Json] = field(default_factory=list)

    def of_kind(self, kind: str | None) -> list[Consultation]:
        """Return the consultations of `kind`, or all, the newest first."""
        found = [c for c in self.consultations.values() if kind in (None, c.kind)]
        return sorted(found, key=lambda each: (each.created_at, each.id), reverse=True)

    def messages(self) -> list[Message]:
        """Return every message, the oldest first."""
        found = [m for c in self.consultations.values() for m in c.messages]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def shown(self) -> Json:
        """Return the profile with what changes by itself."""
        return self.profile | {
            "phone": self.phone,
            "balance": self.balance,
            "currency": "RUB",
            "unreadMessageCount": sum(c.unread for c in self.consultations.values()),
        }
