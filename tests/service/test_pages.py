"""What docs/operations tells people to type is there; the rest is in test_manager."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from proxy.cli import main

FOLDER = Path(__file__).parents[2] / "docs" / "operations"
PAGES = [FOLDER / "systemd.md", FOLDER / "elsewhere.md"]
BLOCKS = [
    block
    for page in PAGES
    for block in re.findall(r"^```\w+\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
]
IN_TEXT = [
    " ".join(code.split())
    for page in PAGES
    for code in re.findall(r"`(telemed-proxy [^`]+)`", page.read_text("utf-8"))
]
LINES = [line for block in BLOCKS for line in block.splitlines()]
OURS = sorted(
    {
        each
        for each in [*LINES, *IN_TEXT]
        if re.match(r"(sudo )?(/\S+/)?telemed-proxy ", each)
    }
)


@pytest.mark.parametrize("line", OURS)
def test_each_command_and_option_is_there(line: str) -> None:
    words = shlex.split(line)
    at = next(n for n, word in enumerate(words) if word.endswith("telemed-proxy"))

    result = CliRunner().invoke(main, [*words[at + 1 :], "--help"])

    assert result.exit_code == 0, result.output


def test_a_command_that_is_not_there_would_be_seen() -> None:
    for words in (["service", "instal"], ["service", "install", "--sytem"]):
        assert CliRunner().invoke(main, [*words, "--help"]).exit_code != 0


@pytest.mark.parametrize("block", BLOCKS)
def test_each_block_is_a_script(block: str) -> None:
    read = subprocess.run(["sh", "-n"], input=block, text=True, capture_output=True)
    assert (read.returncode, read.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link
