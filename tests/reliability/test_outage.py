"""With the authorization server away, calls go on, and the login comes back."""

from pathlib import Path

from tests.reliability.outage import lost_with_grace


async def test_no_call_fails_when_an_answer_is_lost(tmp_path: Path) -> None:
    assert await lost_with_grace("reset")(tmp_path)
