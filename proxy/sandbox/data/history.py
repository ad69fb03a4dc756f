"""What a patient has behind them when they log in for the first time."""

import random
import uuid
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from proxy.sandbox.data import texts
from proxy.sandbox.data.files import make_pdf
from proxy.sandbox.data.patient import (
    ACTIVE,
    CANCELLED,
    COMPLETED,
    KINDS,
    RUNNING,
    TERMINATED,
    Consultation,
    Media,
    Message,
    Operation,
    Patient,
)

if TYPE_CHECKING:
    from proxy.sandbox.data.world import World

DAY = 86400.0
CONSULTATIONS = 15


@dataclass(slots=True)
class History:
    """Writes a past into `patient`, ending at `until`."""

    world: "World"
    patient: Patient
    source: random.Random
    until: float

    def write(self) -> None:
        """Add consultations with their messages, reports and payments."""
        at = self.until - 200 * DAY
        self._operate("deposit", 15_000, at, "Пополнение счёта")
        for index in range(CONSULTATIONS):
            at += self.source.uniform(8 * DAY, 12 * DAY)
            self._consultation(index, at)

    def _consultation(self, index: int, at: float) -> None:
        kind = KINDS[index % len(KINDS)]
        doctor = self.source.choice(list(self.world.doctors.values()))
        # The last writing consultation is still open; the others are over.
        last_writing = index == CONSULTATIONS - 2
        status = RUNNING if last_writing else self._end(kind)
        one = Consultation(
            id=self.world.new_id(),
            kind=kind,
            doctor=doctor,
            status=status,
            created_at=at,
            price=doctor.price_of(kind),
            text=self.source.choice(texts.COMPLAINTS),
            phone=self.patient.phone,
            ended_at=None if status in ACTIVE else at + 3600,
        )
        self.patient.consultations[one.id] = one
        name = f"Консультация {one.id}"
        self._operate("payment", -one.price, at, name, one.id)
        if status == CANCELLED:
            self._operate("refund", one.price, at + 3600, f"Возврат: {name}", one.id)
        if kind == "writing" and status != CANCELLED:
            self._talk(one)
        if status == COMPLETED:
            self._conclude(one)

    def _end(self, kind: str) -> str:
        if self.source.random() < 0.7:
            return COMPLETED
        return CANCELLED if kind == "writing" else TERMINATED

    def _talk(self, one: Consultation) -> None:
        at = one.created_at
        lines = [(True, one.text)]
        for _ in range(self.source.randint(2, 5)):
            lines.append((False, self.source.choice(texts.REPLIES)))
            lines.append((True, self.source.choice(texts.QUESTIONS)))
        lines.append((False, self.source.choice(texts.REPLIES)))
        for number, (from_patient, text) in enumerate(lines):
            at += self.source.uniform(30, 600)
            unread = one.status == RUNNING and number == len(lines) - 1
            one.messages.append(
                Message(self.world.new_id(), one.id, from_patient, text, at, not unread)
            )

    def _conclude(self, one: Consultation) -> None:
        ended = one.ended_at or one.created_at
        media = self._pdf(one, ended)
        code, diagnosis = self.source.choice(texts.DIAGNOSES)
        one.report = {
            "diagnosisCode": code,
            "diagnosis": diagnosis,
            "recommendations": self.source.choice(texts.ADVICE),
            "mediaId": media.id,
        }
        if self.source.random() < 0.5:
            text = self.source.choice(texts.FEEDBACK)
            one.feedback = {"rating": self.source.randint(4, 5), "text": text}

    def _pdf(self, one: Consultation, at: float) -> Media:
        number = uuid.UUID(int=self.source.getrandbits(128), version=4)
        make = partial(make_pdf, f"Medical report {number}")
        name = f"Заключение {one.id}.pdf"
        kind = "application/pdf"
        media = Media(str(number), name, kind, len(make()), at, make=make)
        self.world.media[media.id] = media
        return media

    def _operate(self, kind: str, amount: int, at: float, *rest: Any) -> None:
        operation = Operation(self.world.new_id(), kind, amount, at, *rest)
        self.patient.operations.append(operation)
