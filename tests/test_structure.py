"""Structure: imports point down, and pure modules stay pure."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

GROUND, PURE, IO, PART, SURFACE, COMPOSITION = range(1, 7)

# The level of a module is that of the longest line that covers it. New modules in
# access/, forward/ and oauth/ are pure unless a line says otherwise.
LEVELS = {
    "proxy.authority": GROUND,
    "proxy.clock": GROUND,
    "proxy.config": GROUND,
    "proxy.errors": GROUND,
    "proxy.log": GROUND,
    "proxy.recording": GROUND,
    "proxy.redaction": GROUND,
    "proxy.secret_files": IO,
    "proxy.service": PURE,
    "proxy.service.systemctl": IO,
    "proxy.service.unit_files": IO,
    "proxy.sock_diag": IO,
    "proxy.systemd": IO,
    "proxy.tasks": GROUND,
    "proxy.journal": PURE,
    "proxy.journal.content_switch": PART,
    "proxy.journal.replay": PART,
    "proxy.journal.report": PART,
    "proxy.journal.ring": PART,
    "proxy.access": PURE,
    "proxy.answers": PURE,
    "proxy.forward": PURE,
    "proxy.http1": PURE,
    "proxy.oauth": PURE,
    "proxy.access.keys": IO,
    "proxy.access.peers": IO,
    "proxy.forward.connection": IO,
    "proxy.forward.content": IO,
    "proxy.forward.dial": IO,
    "proxy.forward.downlink": IO,
    "proxy.forward.inbound": IO,
    "proxy.forward.inbound_server": IO,
    "proxy.forward.peer": IO,
    "proxy.forward.pool": IO,
    "proxy.forward.slots": IO,
    "proxy.forward.tls": IO,
    "proxy.forward.tunnel": IO,
    "proxy.certificate": IO,
    "proxy.hardening": IO,
    "proxy.issuing": IO,
    "proxy.listeners": IO,
    "proxy.open_files": IO,
    "proxy.oauth.account": IO,
    "proxy.oauth.late": IO,
    "proxy.oauth.changes": IO,
    "proxy.oauth.endpoints": IO,
    "proxy.oauth.holding": IO,
    "proxy.oauth.refresher": IO,
    "proxy.oauth.stores": IO,
    "proxy.oauth.login": PART,
    "proxy.admin": SURFACE,
    "proxy.forward.forwarding": SURFACE,
    "proxy.forward.handler": SURFACE,
    "proxy.forward.sending": SURFACE,
    "proxy.health": SURFACE,
    "proxy.metrics": SURFACE,
    "proxy.__main__": COMPOSITION,
    "proxy.app": COMPOSITION,
    "proxy.app_forward": COMPOSITION,
    "proxy.app_oauth": COMPOSITION,
    "proxy.cli": COMPOSITION,
    "proxy.server": COMPOSITION,
}

# Whoever imports one of these does input or output, waits, or reads the world.
WORLDLY = {
    "aiohttp",
    "asyncio",
    "filelock",
    "http.client",
    "importlib.resources",
    "io",
    "os",
    "pathlib",
    "platformdirs",
    "proxy.clock",
    "proxy.log",
    "proxy.tasks",
    "select",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "yaml",
}


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in (ROOT / "proxy").rglob("*.py")}


def is_below(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")


SANDBOX = {name for name in MODULES if is_below(name, "proxy.sandbox")}
HOUSE = MODULES.keys() - SANDBOX - {"proxy"}


def level(module: str) -> int:
    covering = [line for line in LEVELS if is_below(module, line)]
    assert covering, f"{module} has no level yet: add it to LEVELS"
    return LEVELS[max(covering, key=len)]


def imports(module: str) -> set[str]:
    """Return the names of all that `module` imports, wherever it does."""
    tree = ast.parse(MODULES[module].read_text("utf-8"))
    return {name for node in ast.walk(tree) for name in imported(node)}


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module is not None:
        below = [f"{node.module}.{alias.name}" for alias in node.names]
        # A name may be a module, or something that stands in one.
        yield from (name if name in MODULES else node.module for name in below)


def worldly(names: set[str]) -> set[str]:
    return {name for name in names if any(is_below(name, w) for w in WORLDLY)}


@pytest.mark.parametrize("module", sorted(HOUSE))
def test_imports_point_down(module: str) -> None:
    used = imports(module) & HOUSE

    assert {name for name in used if level(name) > level(module)} == set()


@pytest.mark.parametrize(
    "module",
    sorted(
        {n for n in HOUSE if level(n) == PURE} | {"proxy.errors", "proxy.redaction"}
    ),
)
def test_pure_modules_do_no_io(module: str) -> None:
    assert worldly(imports(module)) == set()


@pytest.mark.parametrize("module", sorted(SANDBOX))
def test_the_sandbox_shares_nothing_with_what_it_tests(module: str) -> None:
    ours = {name for name in imports(module) if is_below(name, "proxy")}

    assert ours - SANDBOX == set()


@pytest.mark.parametrize("module", sorted(HOUSE))
def test_only_composition_knows_the_sandbox(module: str) -> None:
    if level(module) < COMPOSITION:
        assert imports(module) & SANDBOX == set()


@pytest.mark.parametrize("module", sorted(HOUSE))
def test_forward_and_oauth_do_not_know_each_other(module: str) -> None:
    for one, other in [
        ("proxy.forward", "proxy.oauth"),
        ("proxy.oauth", "proxy.forward"),
    ]:
        if is_below(module, one):
            assert {n for n in imports(module) if is_below(n, other)} == set()


@pytest.mark.parametrize("module", sorted(HOUSE))
def test_only_the_config_reads_yaml(module: str) -> None:
    if not is_below(module, "proxy.config"):
        assert imports(module) & {"yaml"} == set()


def test_every_level_is_of_a_module_that_is_there() -> None:
    assert LEVELS.keys() - MODULES.keys() == set()


def test_the_rules_see_what_they_forbid() -> None:
    source = "import os.path\ndef f():\n  from proxy.oauth import phone, Nothing\n"
    found = {name for node in ast.walk(ast.parse(source)) for name in imported(node)}

    assert found == {"os.path", "proxy.oauth.phone", "proxy.oauth"}
    assert worldly(found) == {"os.path"}
    assert level("proxy.oauth.stores.file") == IO
    with pytest.raises(AssertionError, match="has no level"):
        level("proxy.novelty")
