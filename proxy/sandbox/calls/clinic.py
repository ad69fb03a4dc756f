"""Doctors, reference data, and what the application asks about itself."""

import re
from collections.abc import Callable
from typing import Any

from proxy.sandbox.answers import (
    Answer,
    bad_argument,
    item,
    json_answer,
    not_found,
    page,
)
from proxy.sandbox.calls.call import Arguments, Call
from proxy.sandbox.data import reference
from proxy.sandbox.data.doctors import Doctor

LATEST = (3, 14, 0)
OLDEST_SUPPORTED = (2, 0, 0)
_SYSTEMS = ("ios", "android", "windows", "macos", "linux", "web")
_SORTS: dict[str, Callable[[Doctor], Any]] = {
    "name": lambda doctor: doctor.full_name,
    "price": lambda doctor: doctor.price,
    "rating": lambda doctor: -doctor.rating,
    "experience": lambda doctor: -doctor.experience,
}


def doctors(call: Call) -> Answer:
    """Filter, sort and page the doctors."""
    found = list(call.world.doctors.values())
    for name, keep in _FILTERS.items():
        if call.query.has(name):
            wanted = call.query.whole(name)
            found = [doctor for doctor in found if wanted in keep(doctor)]
    if call.query.has("name"):
        part = call.query.text("name").replace("+", " ").lower()
        found = [doctor for doctor in found if part in doctor.full_name.lower()]
    if call.query.has("isAvailable"):
        wanted = call.query.truth("isAvailable", default=True)
        found = [doctor for doctor in found if doctor.on_duty == wanted]
    return page([doctor.shown() for doctor in _sorted(call, found)], *call.paging)


_FILTERS: dict[str, Callable[[Doctor], list[int]]] = {
    "specialtyId": lambda doctor: [each["id"] for each in doctor.specialties],
    "regionId": lambda doctor: [doctor.region["id"]],
    "degreeId": lambda doctor: [doctor.degree["id"]],
    "positionId": lambda doctor: [doctor.position["id"]],
}


def _sorted(call: Call, found: list[Doctor]) -> list[Doctor]:
    if not call.query.has("sort"):
        return found
    name = call.query.text("sort")
    if name not in _SORTS:
        raise bad_argument("sort", f"Сортировка: {', '.join(_SORTS)}.")
    return sorted(found, key=_SORTS[name])


def doctor(call: Call) -> Answer:
    """Return one doctor, bare."""
    number = Arguments(call.path).whole("id")
    found = call.world.doctors.get(number)
    if found is None:
        raise not_found("doctor", f"Врач {number} не найден.")
    return json_answer(found.detailed())


def regions(call: Call) -> Answer:
    """List the regions."""
    return _reference(call, reference.REGIONS)


def degrees(call: Call) -> Answer:
    """List the academic degrees."""
    return _reference(call, reference.DEGREES)


def positions(call: Call) -> Answer:
    """List the positions."""
    return _reference(call, reference.POSITIONS)


def specialties(call: Call) -> Answer:
    """List the specialities."""
    return _reference(call, reference.SPECIALTIES)


def _reference(call: Call, rows: list[dict[str, Any]]) -> Answer:
    # Short lists: all of it, unless a page is asked for.
    limit, offset = call.paging
    return page(rows, limit if call.query.has("limit") else len(rows), offset)


def updates(call: Call) -> Answer:
    """Say whether an application's version is still good."""
    system = call.query.text("operatingSystemName")
    if system.lower() not in _SYSTEMS:
        described = f"Неизвестная операционная система {system}."
        raise bad_argument("operatingSystemName", described)
    text = call.query.text("applicationVersion")
    if not re.fullmatch(r"\d{1,6}(\.\d{1,6}){0,3}", text):
        described = "Версия записывается как 1.2.3."
        raise bad_argument("applicationVersion", described)
    version = tuple(int(part) for part in text.split("."))
    return item(
        {
            "operatingSystemName": system,
            "applicationVersion": text,
            "latestVersion": ".".join(map(str, LATEST)),
            "isUpdateAvailable": version < LATEST,
            "isUpdateRequired": version < OLDEST_SUPPORTED,
        }
    )
