"""The pure grammar, tried on bytes that are led by what they reach in the code.

Some thousand messages a second, where `make fuzz` tries some hundred, and no knowledge
of what one looks like but the usual ones to begin with. It needs atheris, which is for
Linux only and so not among what is installed:

    .venv/bin/python -m pip install atheris
    .venv/bin/python -m tests.fuzz.guided -max_total_time=600

Options are libFuzzer's. What it finds is to be kept in `test_findings.py`.
"""

import importlib
import sys
from pathlib import Path

_CORPUS = Path(__file__).parents[2] / ".cache" / "guided"


def main() -> None:
    """Try until something is found, or the time is over."""
    atheris = importlib.import_module("atheris")
    with atheris.instrument_imports(include=["proxy.http1", "proxy.forward", "h11"]):
        importlib.import_module("proxy.forward.handler")
        importlib.import_module("h11")
    agreement = importlib.import_module("tests.fuzz.test_agreement")
    crossing = importlib.import_module("tests.fuzz.test_crossing")
    grammar = importlib.import_module("tests.fuzz.test_grammar")
    strategies = importlib.import_module("tests.fuzz.strategies")

    def try_message(data: bytes) -> None:
        if data.startswith(b"HTTP/"):
            grammar.check_response(data)
            agreement.compare_answer_with_h11(b"GET", data)
            agreement.compare_answer_with_aiohttp(b"GET", data)
        else:
            grammar.check_request(data)
            agreement.compare_with_h11(data)
            agreement.compare_with_aiohttp(data)
            crossing.check_sent_on(data)

    _CORPUS.mkdir(parents=True, exist_ok=True)
    usual = (*strategies.USUAL_REQUESTS, *strategies.USUAL_RESPONSES)
    for number, wire in enumerate(usual):
        (_CORPUS / f"usual-{number}").write_bytes(wire)
    found = f"-artifact_prefix={_CORPUS.parent}/"
    options = ["-max_len=500", found, *sys.argv[1:], str(_CORPUS)]
    atheris.Setup([sys.argv[0], *options], try_message)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
