"""The whole clinic: doctors, patients and files, made up from a seed."""

import random
import uuid
from collections.abc import Callable
from functools import partial

from proxy.sandbox.data import texts
from proxy.sandbox.data.doctors import Doctor, make_doctors
from proxy.sandbox.data.files import make_png
from proxy.sandbox.data.history import History
from proxy.sandbox.data.names import full_name
from proxy.sandbox.data.patient import Media, Patient

# Uploads are kept for reading back, not for ever.
UPLOADS_KEPT = 128 * 1024 * 1024
START_BALANCE = 5000
# 1 March 2025, 09:00 in Moscow: made-up history ends here, whatever the clock says.
HISTORY_ENDS = 1740808800.0
STRANGER = "70000000000"
HOSTILE_PAGE = "00000000-0000-4000-8000-00000000beef"


class World:
    """What the API answers from; one instance is one state."""

    def __init__(self, seed: int, clock: Callable[[], float]) -> None:
        self.seed = seed
        self.clock = clock
        self.doctors = {doctor.id: doctor for doctor in make_doctors(seed)}
        self.patients: dict[str, Patient] = {}
        self.media = {each.photo_id: _photo(each) for each in self.doctors.values()}
        self.media[HOSTILE_PAGE] = _hostile_page()
        self._next_id = 5000
        self._uuids = random.Random(f"{seed}:uploads")  # noqa: S311
        # Someone else's consultations exist, so that 403 forbidden can be met.
        self.patient(STRANGER)

    def patient(self, phone: str) -> Patient:
        """Return the patient with `phone`, made up when met for the first time."""
        if phone not in self.patients:
            self.patients[phone] = self._make_patient(phone)
        return self.patients[phone]

    def owner_of(self, request_id: int) -> Patient | None:
        """Return whose consultation `request_id` is."""
        for patient in self.patients.values():
            if request_id in patient.consultations:
                return patient
        return None

    def new_id(self) -> int:
        """Return a number that nothing has yet."""
        self._next_id += 1
        return self._next_id

    def new_uuid(self) -> str:
        """Return a media id that nothing has yet."""
        return str(uuid.UUID(int=self._uuids.getrandbits(128), version=4))

    def keep(self, media: Media) -> None:
        """Store an uploaded file; the oldest go when there are too many bytes."""
        self.media[media.id] = media
        uploads = [each for each in self.media.values() if each.content is not None]
        total = sum(each.size for each in uploads)
        for oldest in uploads[:-1]:
            if total <= UPLOADS_KEPT:
                break
            total -= oldest.size
            oldest.content = None

    def _make_patient(self, phone: str) -> Patient:
        source = random.Random(f"{self.seed}:{phone}")  # noqa: S311
        female = source.random() < 0.5
        surname, first, patronymic = full_name(source, female=female)
        born = (
            source.randint(1950, 2004),
            source.randint(1, 12),
            source.randint(1, 28),
        )
        profile = {
            "id": source.randrange(10_000, 99_999),
            "lastName": surname,
            "firstName": first,
            "middleName": patronymic,
            "gender": "female" if female else "male",
            "birthDate": "{:04d}-{:02d}-{:02d}T00:00:00+0300".format(*born),
            "email": f"patient{phone[-4:]}@example.ru",
            "city": source.choice(texts.CITIES),
            "heightCm": source.randint(152, 194),
            "weightKg": source.randint(48, 104),
            "allergies": source.choice(["Нет", "Пенициллин", "Пыльца берёзы"]),
        }
        patient = Patient(phone=phone, profile=profile, balance=START_BALANCE)
        History(self, patient, source, HISTORY_ENDS).write()
        return patient


def _photo(doctor: Doctor) -> Media:
    make = partial(make_png, doctor.photo_id)
    name = f"doctor-{doctor.id}.png"
    return Media(doctor.photo_id, name, "image/png", 0, HISTORY_ENDS, make=make)


def _hostile_page() -> Media:
    # What other people upload comes back as it is, with their content type.
    content = (
        "<!DOCTYPE html><title>Анализы</title>"
        "<script>fetch('/api/v1/profile/get')</script>"
    ).encode()
    return Media(
        id=HOSTILE_PAGE,
        file_name="анализы.html",
        content_type="text/html; charset=utf-8",
        size=len(content),
        created_at=HISTORY_ENDS,
        make=lambda: content,
    )
