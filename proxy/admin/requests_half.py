"""The half of the page that shows requests, as HTML that the scripts fill."""

import json
from typing import Final

from proxy.admin.templates import Markup, fill, join
from proxy.admin.texts import reason_texts, request_texts, script_texts
from proxy.journal.filters import LONGEST

# Terms of a filter, and the text that explains each; None: written in the texts, too.
_FILTER_TERMS: Final = (
    (None, "word"),
    ("method:POST", "method"),
    ("status:4xx", "status"),
    ("path:/api/v1/doctor/*", "path"),
    ("caller:NAME", "caller"),
    ("is:error", "error"),
    ("is:proxy", "proxy"),
    ("is:running", "running"),
    ("is:replayed", "replayed"),
    ("is:paid", "paid"),
    ("is:slow", "slow"),
    ("-is:error", "not"),
    (None, "quotes"),
)


def requests_half(language: str, *, logged_in: bool) -> Markup:
    """Return the half of the page that the scripts fill with requests.

    Where nobody is `logged_in`, it says what that means for them.
    """
    texts = request_texts(language)
    labels = {f"t_{name}": text for name, text in texts.items()}
    terms = [
        fill(
            "help",
            example=example or texts[f"example_{name}"],
            meaning=texts[f"filter_{name}"],
        )
        for example, name in _FILTER_TERMS
    ]
    return fill(
        "requests",
        hidden=Markup(" hidden" if logged_in else ""),
        help=join(terms),
        detail=fill("detail", **labels),
        dialogs=fill("dialogs", **labels),
        longest=str(LONGEST),
        texts=json.dumps(script_texts(language), ensure_ascii=False),
        reasons=json.dumps(reason_texts(language), ensure_ascii=False),
        **labels,
    )
