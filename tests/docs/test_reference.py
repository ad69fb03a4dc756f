"""docs/reference is what the program says of itself today."""

import re
from types import ModuleType

import pytest

from proxy.cli import COMMANDS, exitcodes
from proxy.cli.store import COMMANDS as STORE_COMMANDS
from proxy.config.layers import dotted, variable_name
from proxy.config.settings import SETTINGS
from proxy.metrics import Metrics
from tests.docs.loading import ROOT, load_script
from tests.test_metrics import NOBODY

FOLDER = ROOT / "docs" / "reference"
NAMES = ("config.md", "commands.md", "metrics.md")


@pytest.fixture(scope="module")
def reference() -> ModuleType:
    return load_script("reference")


@pytest.fixture(scope="module")
def fresh(
    reference: ModuleType, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """The files as they should be now."""
    folder = tmp_path_factory.mktemp("reference")
    assert reference.main(["--folder", str(folder)]) == 0
    return {each.name: each.read_text("utf-8") for each in folder.iterdir()}


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_those_of_today(fresh: dict[str, str], name: str) -> None:
    written = FOLDER / name
    kept = written.read_text("utf-8") if written.exists() else ""

    assert kept == fresh[name], f"{name} is out of date; mend it with: make reference"


def test_there_are_no_others(fresh: dict[str, str]) -> None:
    assert set(fresh) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_made_it(fresh: dict[str, str], name: str) -> None:
    assert "by `make reference`" in fresh[name].splitlines()[2]


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_heading(fresh: dict[str, str], name: str) -> None:
    # As GitHub makes them: lower case, no punctuation, a dash for a space.
    headings = re.findall(r"^#+ (.+)$", fresh[name], re.MULTILINE)
    anchors = [re.sub(r"[^\w -]", "", each).lower() for each in headings]
    anchors = [each.replace(" ", "-") for each in anchors]

    assert len(set(anchors)) == len(anchors)
    assert set(re.findall(r"\]\(#([^)]+)\)", fresh[name])) <= set(anchors)


def test_every_setting_stands_there_with_all_that_is_known_of_it(
    fresh: dict[str, str],
) -> None:
    parts = dict(
        re.findall(r"^### `(\S+)`\n\n(.+?)(?=^#|\Z)", fresh["config.md"], re.M | re.S)
    )

    assert list(parts) == [dotted(key) for key in SETTINGS]
    for key in SETTINGS:
        text = parts[dotted(key)]
        assert re.match(r"\w", text), "an explanation comes first"
        assert re.search(r"^\* Takes \w.+\.$", text, re.MULTILINE), text
        assert re.search(r"^\* Default: \S+", text, re.MULTILINE), text
        assert f"`{variable_name(key)}`" in text


@pytest.mark.parametrize(
    ("key", "takes"),
    [
        ("log.access", "true or false."),
        ("log.format", "one of text, json."),
        ("limits.connections", "a whole number from 1 to 1000000."),
        ("login.hold", "a duration such as 500ms, 10s, 5m, 2h or 14d ("),
        ("limits.head_size", "from 8KiB to 256KiB."),
        ("upstream.keepalive", "longer than 0s."),
        ("tls.key_file", "the path of a file."),
        ("access.deny", "one or a list of these: rules such as"),
    ],
)
def test_values_are_told_as_people_write_them(
    reference: ModuleType, key: str, takes: str
) -> None:
    section, _, name = key.partition(".")

    assert takes in reference.kind(SETTINGS[section, name])


def test_a_comment_is_read_with_its_paragraphs_and_nothing_else(
    reference: ModuleType,
) -> None:
    text = (
        "# Of the file.\n\n# One * and\n# two.\n#\n# Dangerous: three.\nlog:\n"
        "  # Below.\n  level: info\n  bare: 1\nlast: 2\n"
    )

    assert reference.explanations(text) == {
        ("log",): "One \\* and two.\n\n**Dangerous**: three.",
        ("log", "level"): "Below.",
    }


def test_every_command_is_there_with_its_options_and_examples(
    fresh: dict[str, str],
) -> None:
    text = fresh["commands.md"]
    headings = re.findall(r"^## (telemed-proxy.*)$", text, re.MULTILINE)
    below = [f"store {each}" for each in STORE_COMMANDS]

    wanted = {f"telemed-proxy {each}" for each in [*COMMANDS, *below]}
    assert set(headings) >= wanted
    assert text.count("\nOptions:\n") == len(headings)
    assert len(re.findall(r"^Examples?:$", text, re.MULTILINE)) == len(headings)
    assert "--read-only" in text


def test_every_exit_code_is_there(fresh: dict[str, str]) -> None:
    rows = re.findall(r"^\| (\d+) \| \w", fresh["commands.md"], re.MULTILINE)

    known = {code for code in vars(exitcodes).values() if isinstance(code, int)}
    assert set(map(int, rows)) == known


def test_every_metric_and_each_of_its_labels_is_there(
    fresh: dict[str, str],
) -> None:
    text, (families, labels) = fresh["metrics.md"], fresh["metrics.md"].split("## L")
    rendered = Metrics().render(0.0, NOBODY)

    for name, kind in re.findall(r"^# TYPE (\S+) (\S+)$", rendered, re.MULTILINE):
        assert f"| `{name}` | {kind} |" in text
    for label in set(re.findall(r'[{,](\w+)="', rendered)):
        assert f"`{label}`" in families
        assert f"| `{label}` | " in labels
    # These two have samples only once something was counted.
    assert "endpoint_requests_total` | counter | `endpoint`, `status_class` |" in text
    assert "endpoint_duration_seconds` | summary | `endpoint` |" in text
