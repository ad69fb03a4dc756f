"""docs/conformance.md says what is so."""

import re

import pytest

from proxy.forward.connection import MAX_HEAD as MAX_ANSWER_HEAD
from proxy.forward.fields import HOP_BY_HOP, NEEDED, NOT_FORWARDED
from proxy.http1.chunked import MAX_SIZE_LINE, MAX_TRAILERS
from proxy.http1.head import MAX_FIELD, MAX_FIELDS, MAX_HEAD, MAX_METHOD, MAX_TARGET
from tests.conformance.differential import DOCUMENT, between, numbers

TEXT = DOCUMENT.read_text("utf-8")


def test_the_numbers_of_cases_are_those_that_there_are() -> None:
    assert between(TEXT, "cases") == numbers()


def test_every_field_that_is_dropped_or_kept_in_spite_is_named() -> None:
    named = {name.lower().encode() for name in re.findall(r"`([\w-]+)`", TEXT)}

    assert (HOP_BY_HOP | NEEDED | NOT_FORWARDED) - named == set()


@pytest.mark.parametrize(
    "sentence",
    [
        f"a method of more than {MAX_METHOD} bytes",
        f"a target of more than {MAX_TARGET // 1024} KiB",
        f"a field of more than {MAX_FIELD // 1024} KiB",
        f"more than {MAX_FIELDS} fields",
        f"a head of more than {MAX_HEAD // 1024} KiB |",
        f"a head of more than {MAX_ANSWER_HEAD // 1024} KiB, the caller gets 502",
        f"extensions of more than {MAX_SIZE_LINE // 1024} KiB",
        f"trailers of more than {MAX_TRAILERS // 1024} KiB",
    ],
)
def test_limits_are_as_the_document_says(sentence: str) -> None:
    assert sentence in " ".join(TEXT.split())


@pytest.mark.parametrize("path", re.findall(r"`(tests/[\w/.]+)`", TEXT))
def test_what_the_document_names_is_there(path: str) -> None:
    assert (DOCUMENT.parents[1] / path).exists()
