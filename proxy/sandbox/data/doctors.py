"""The doctors of the clinic."""

import random
import uuid
from dataclasses import dataclass
from typing import Any

from proxy.sandbox.data import reference, texts
from proxy.sandbox.data.names import FullName, full_name

Json = dict[str, Any]

DOCTORS = 64


@dataclass(frozen=True, slots=True)
class Doctor:
    """One doctor; prices are in roubles."""

    id: int
    name: FullName
    female: bool
    region: Json
    degree: Json
    position: Json
    specialties: tuple[Json, ...]
    experience: int
    rating: float
    reviews: int
    price: int
    education: str
    on_duty: bool
    photo_id: str

    @property
    def full_name(self) -> str:
        """Surname, first name and patronymic in one."""
        return " ".join(self.name)

    def short(self) -> Json:
        """Return what a consultation shows of its doctor."""
        return {
            "id": self.id,
            "fullName": self.full_name,
            "specialty": self.specialties[0]["name"],
            "photoId": self.photo_id,
        }

    def shown(self) -> Json:
        """Return what the lists show."""
        surname, first, patronymic = self.name
        return {
            "id": self.id,
            "lastName": surname,
            "firstName": first,
            "middleName": patronymic,
            "fullName": self.full_name,
            "gender": "female" if self.female else "male",
            "region": self.region,
            "degree": self.degree,
            "position": self.position,
            "specialties": list(self.specialties),
            "experienceYears": self.experience,
            "rating": self.rating,
            "reviewCount": self.reviews,
            "isAvailable": self.on_duty,
            "callbackPrice": self.price,
            "writingPrice": self.price // 2,
            "voipPrice": self.price + 300,
            "photoId": self.photo_id,
        }

    def detailed(self) -> Json:
        """Return the whole page of the doctor."""
        kind = self.specialties[0]["name"].lower()
        return self.shown() | {
            "education": self.education,
            "about": f"{self.full_name}, {kind}, стаж {self.experience} лет. "
            f"{self.education}. Консультирует онлайн и по телефону.",
            "languages": ["русский"],
        }

    def price_of(self, kind: str) -> int:
        """Return what a consultation of `kind` costs."""
        price: int = self.shown()[f"{kind}Price"]
        return price


def make_doctors(seed: int) -> list[Doctor]:
    """Return the doctors of `seed`; every speciality has at least one on duty."""
    source = random.Random(f"{seed}:doctors")  # noqa: S311
    return [_make_doctor(source, 101 + index, index) for index in range(DOCTORS)]


def _make_doctor(source: random.Random, number: int, index: int) -> Doctor:
    female = source.random() < 0.6
    count = len(reference.SPECIALTIES)
    first = reference.SPECIALTIES[index % count]
    second = source.choice(reference.SPECIALTIES)
    both = (first, second) if second["id"] != first["id"] and index % 3 == 0 else None
    experience = source.randint(3, 38)
    return Doctor(
        id=number,
        name=full_name(source, female=female),
        female=female,
        region=source.choice(reference.REGIONS),
        degree=source.choices(reference.DEGREES, weights=(6, 3, 1))[0],
        position=source.choice(reference.POSITIONS),
        specialties=both or (first,),
        experience=experience,
        rating=round(source.uniform(4.1, 5.0), 1),
        reviews=source.randint(0, 480),
        price=source.randrange(600, 1500, 50),
        education=source.choice(texts.EDUCATION),
        on_duty=index < count or source.random() < 0.8,
        photo_id=str(uuid.UUID(int=source.getrandbits(128), version=4)),
    )
