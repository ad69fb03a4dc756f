"""Writes docs/reference from the program itself: settings, commands, metrics.

What it takes each from: the explanations and defaults of the settings from
config.example.yaml, what they take from the sentences of their parsers; the commands
from their help; the metrics from what /metrics answers.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import click

from proxy.cli import exitcodes, main as telemed_proxy
from proxy.cli.lazy import PROGRAM
from proxy.config.document import parse_document
from proxy.config.layers import dotted, variable_name
from proxy.config.section import Setting
from proxy.config.settings import SETTINGS, Key
from proxy.forward.exchange import Exchange
from proxy.journal.endpoints import ENDPOINTS
from proxy.metrics import OTHER, STATUS_CLASSES, Metrics
from proxy.oauth.status import TokenStatus

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "config.example.yaml"
WIDTH = 88

_SPECIAL = re.compile(r"([*<>|~])")


def document(title: str, source: str, *parts: str) -> str:
    """Return one file: what it is, who wrote it, and its parts."""
    made = f"*Generated from {source} by `make reference`; changes here are lost.*"
    return "\n\n".join([f"# {title}", made, *parts]) + "\n"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return `rows` as Markdown has them."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plain(text: str) -> str:
    """Return `text` so that Markdown shows it as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def code(text: str) -> str:
    """Return `text` as it is typed; a bar would end a cell of a table."""
    return f"`{text}`".replace("|", r"\|")


def block(text: str) -> str:
    """Return `text` with its lines as they are."""
    return f"```text\n{text}\n```"


# -- Settings ------------------------------------------------------------------------


def settings() -> str:
    """Return every setting with its explanation, default, and what it takes."""
    text = EXAMPLE.read_text("utf-8")
    told, written = explanations(text), parse_document(text).root
    rows, parts = [], []
    section: Key = ()
    for key, setting in SETTINGS.items():
        name, default = dotted(key), _default(written, key)
        anchor = name.replace(".", "")
        rows.append([f"[{code(name)}](#{anchor})", default])
        if key[:-1] not in {(), section}:
            section = key[:-1]
            parts += [f"## {dotted(section)}", told[section]]
        facts = [
            f"* Takes {kind(setting)}",
            f"* Default: {default}",
            f"* Variable: {code(variable_name(key))}",
        ]
        parts += [f"### {code(name)}", told[key], "\n".join(facts)]
    head = text.partition("\n\n")[0]
    quoted = "\n>\n".join(f"> {each}" for each in paragraphs(head.splitlines()))
    return document(
        "Settings",
        "`config.example.yaml` and `proxy/config`",
        "That file begins with:",
        quoted,
        table(["setting", "default"], rows),
        *parts,
    )


def explanations(text: str) -> dict[Key, str]:
    """Return the comment above each key of `text`, as Markdown."""
    found: dict[Key, str] = {}
    section, above = "", []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            above.append(line)
            continue
        if named := re.match(r"( *)(\w+):", line):
            indent, name = named.groups()
            section = section if indent else name
            key = (section, name) if indent else (name,)
            if above:
                found[key] = "\n\n".join(paragraphs(above))
        above = []
    return found


def paragraphs(comment: list[str]) -> list[str]:
    """Return the paragraphs of a comment, as Markdown."""
    lines = [line.strip().removeprefix("#").strip() for line in comment]
    split = "\n".join(lines).split("\n\n")
    warned = [plain(" ".join(each.split())) for each in split]
    return [each.replace("Dangerous", "**Dangerous**") for each in warned]


def kind(setting: Setting) -> str:
    """Return what a setting takes, in the words in which its parser refuses.

    The first is what it says to nonsense; then what it says to too little.
    """
    said: list[str] = []
    for attempt in ("\0", "0s", "0B"):
        try:
            setting.parse(attempt)
        except ValueError as exc:
            words = str(exc).removeprefix("must be ")
            said += [words] if words not in said else []
    many = isinstance(setting.make_default(), tuple)
    words = plain(", ".join(said))
    return f"one or a list of these: {words}." if many else f"{words}."


def _default(written: Any, key: Key) -> str:
    value = written
    for name in key:
        value = value[name]
    if isinstance(value, list):
        return "<br>".join(map(code, value)) or "none"
    return code(value) if value else "empty" if value == "" else "none"


# -- Commands ------------------------------------------------------------------------


def commands() -> str:
    """Return the help of every command, and what the exit codes mean."""
    found = list(_commands(telemed_proxy, None, PROGRAM))
    rows = [
        [f"[{code(path)}](#{path.replace(' ', '-')})", plain(ctx.command.help or "")]
        for path, ctx in found
    ]
    for row in rows:
        row[1] = row[1].partition("\n\n")[0].replace("\n", " ")
    codes = [each.split(" ", 1) for each in exitcodes.MEANINGS.rstrip(".").split(", ")]
    return document(
        "Commands",
        "the help of `telemed-proxy`",
        table(["command", "does"], rows),
        "## Exit codes",
        table(["code", "means"], codes),
        *(part for path, ctx in found for part in _help(path, ctx)),
    )


def _commands(
    command: click.Command, above: click.Context | None, name: str
) -> Iterator[tuple[str, click.Context]]:
    """Yield `command` and those below it, each with how it is called."""
    ctx = command.make_context(
        name, [], parent=above, resilient_parsing=True, terminal_width=WIDTH
    )
    yield ctx.command_path, ctx
    if isinstance(command, click.Group):
        for each in command.list_commands(ctx):
            if (below := command.get_command(ctx, each)) and not below.hidden:
                yield from _commands(below, ctx, each)


def _help(path: str, ctx: click.Context) -> Iterator[str]:
    """Yield the help of one command: usage, text, then its sections."""
    yield f"## {path}"
    text, *sections = re.split(r"^(?=[A-Z][\w ]*:\n)", ctx.get_help(), flags=re.M)
    usage, _, prose = text.strip().partition("\n\n")
    yield block(usage)
    for paragraph in prose.split("\n\n"):
        yield plain(" ".join(paragraph.split()))
    for section in sections:
        title, _, lines = section.strip().partition(":\n")
        if title != "Exit codes":
            unindented = re.sub(r"^  ", "", lines, flags=re.M)
            yield f"{title}:\n\n{block(unindented)}"


# -- Metrics -------------------------------------------------------------------------


def metrics() -> str:
    """Return every metric with its type, its labels and what they may be."""
    families, labels = _families(_rendered())
    return document(
        "Metrics",
        "`proxy/metrics.py`",
        "The admin listener answers them at `/metrics`, as Prometheus reads them. "
        "Where it has a password, they need it too.",
        table(["metric", "type", "labels", "what it counts or tells"], families),
        "## Labels",
        table(["label", "may be"], [[code(name), may] for name, may in labels.items()]),
        "## Endpoints",
        "\n".join(f"* {code(each)}" for each in ENDPOINTS),
    )


def _rendered() -> str:
    """Return what /metrics answers when there is something to tell of everything."""
    counted = Metrics()
    exchange = Exchange("", 1, "GET", "/api/v1/profile/get")
    exchange.status = 200
    counted.record([exchange])
    status: dict[str, Any] = dict.fromkeys(
        [each.name for each in fields(TokenStatus)], 1
    )
    return counted.render(0.0, TokenStatus(**status))


def _families(text: str) -> tuple[list[list[str]], dict[str, str]]:
    """Return a row for each metric of `text`, and what each label may be."""
    rows, seen = [], dict[str, list[str]]()
    for part in re.split(r"^# HELP ", text, flags=re.M)[1:]:
        head, kind_line, *samples = part.splitlines()
        name, told = head.split(" ", 1)
        found = re.findall(r'(\w+)="([^"]*)"', "\n".join(samples))
        names = list(dict.fromkeys(label for label, _ in found))
        for label, value in found:
            if value not in seen.setdefault(label, []):
                seen[label].append(value)
        kind_word = kind_line.rsplit(" ", 1)[1]
        rows.append([code(name), kind_word, ", ".join(map(code, names)), plain(told)])
    known = {
        "status_class": ", ".join(map(code, STATUS_CLASSES)),
        "endpoint": f"a documented call, listed below, or {code(OTHER)}",
        "version": "the version of telemed-proxy",
        "python": "the version of Python",
    }
    listed = {name: ", ".join(map(code, values)) for name, values in seen.items()}
    return rows, {name: known.get(name, may) for name, may in listed.items()}


FILES = {"config.md": settings, "commands.md": commands, "metrics.md": metrics}


def main(arguments: list[str] | None = None) -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "reference")
    folder = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        (folder / name).write_text(make(), "utf-8")
        print(f"reference: {folder / name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
