"""The pages of docs/recipes, and the programs in them."""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "recipes"

ADDRESS = "http://127.0.0.1:8080"
SINCE = "createdFromUtc=2024-01-01T00:00:00+0300"

# What each program asks for, in this order; {id} is what its upload was stored as.
ASKED = (
    ("GET", "/api/v1/profile/get"),
    ("GET", f"/api/v1/request/get-all?{SINCE}&limit=3"),
    ("POST", "/api/v1/profile/update"),
    ("POST", "/api/v1/media/add"),
    ("GET", "/api/v1/media/get/{id}"),
    ("GET", "/api/v1/doctor/get/999999"),
)
WRITTEN = {"city": "Тверь"}

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Program:
    """A program of a page: its language, and its text as it stands there."""

    page: str
    number: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.page}-{self.number}"


def text_of(page: str) -> str:
    return (FOLDER / f"{page}.md").read_text(encoding="utf-8")


def programs_of(page: str) -> list[Program]:
    blocks = _BLOCK.findall(text_of(page))
    return [Program(page, at, *block) for at, block in enumerate(blocks, start=1)]


PAGES = sorted(file.stem for file in FOLDER.glob("*.md") if file.stem != "README")

ALL = {program.name: program for page in PAGES for program in programs_of(page)}
"""Every program by the name of its page and its number there."""
