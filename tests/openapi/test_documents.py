"""Both documents are OpenAPI 3.1, and say of the calls what holds for all of them."""

from pathlib import Path

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from proxy.journal.commands import KINDS
from proxy.journal.content_switch import LONGEST
from proxy.journal.endpoints import ENDPOINTS
from proxy.journal.entry import STAGES
from proxy.journal.filters import LONGEST as LONGEST_FILTER
from proxy.sandbox.routes import ROUTES
from tests.openapi.documents import (
    ADMIN,
    UPSTREAM,
    expect_no_leftovers,
    expect_true_examples,
    operations,
    read,
    resolved,
)

BOTH = pytest.mark.parametrize("path", [ADMIN, UPSTREAM], ids=lambda path: path.stem)


@BOTH
def test_it_is_openapi(path: Path) -> None:
    document = read(path)
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()
    expect_no_leftovers(document)


@BOTH
def test_its_examples_are_true(path: Path) -> None:
    expect_true_examples(read(path))


def test_every_admin_call_says_how_it_fails() -> None:
    document = read(ADMIN)
    errors = document["components"]["responses"]
    for method, path, operation in operations(document):
        codes = set(operation["responses"])
        wanted = {"400", "403", "500"}
        if operation.get("security") != []:
            wanted |= {"401", "429"}
        if method != "GET":
            wanted |= {"408", "413", "415"}
        assert wanted <= codes, f"{method} {path}"
        for code, response in operation["responses"].items():
            if code < "400" or path in ("/startup", "/readiness"):
                continue
            assert resolved(document, response) in errors.values(), f"{path} {code}"
    for response in errors.values():
        schema = response["content"]["application/json"]["schema"]
        assert schema == {"$ref": "#/components/schemas/Error"}


def test_its_limits_and_words_are_those_of_the_program() -> None:
    document = read(ADMIN)
    schemas, parameters = (document["components"][k] for k in ("schemas", "parameters"))
    stage = schemas["Detail"]["allOf"][1]["properties"]["timing"]["items"]["properties"]
    assert stage["stage"]["enum"] == list(STAGES)
    assert parameters["filter"]["schema"]["maxLength"] == LONGEST_FILTER
    calls = {each["operationId"]: each for _, _, each in operations(document)}
    assert calls["writeCommand"]["parameters"][1]["schema"]["enum"] == list(KINDS)
    content = calls["keepContent"]["requestBody"]["content"]["application/json"]
    assert content["schema"]["properties"]["seconds"]["maximum"] == LONGEST


def test_the_upstream_s_calls_are_those_that_are_known() -> None:
    document = read(UPSTREAM)
    assert tuple(sorted(document["paths"])) == tuple(sorted(ENDPOINTS))
    calls = {(method, path) for method, path, _ in operations(document)}
    known = {(route.method, route.path) for route in ROUTES}
    assert calls == known | {("GET", "/api/v1/access/validation-code")}
    paid = {path for _, path, each in operations(document) if each.get("x-paid")}
    assert paid == {route.path for route in ROUTES if route.paid}


def test_the_upstream_s_answers_have_the_documented_envelopes() -> None:
    document = read(UPSTREAM)
    shapes = {route.path: route.shape for route in ROUTES}
    for _, path, operation in operations(document):
        content = operation["responses"]["200"].get("content", {})
        schema = content.get("application/json", {}).get("schema", {})
        if shapes.get(path) == "list":
            assert schema["allOf"][0] == {"$ref": "#/components/schemas/List"}
        elif shapes.get(path) == "item" and "oneOf" not in schema:
            assert schema["required"] == ["item"]
        elif shapes.get(path) == "bytes":
            assert list(content) == ["*/*"]
