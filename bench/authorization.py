"""The authorization server: any login and any refresh gets the token bench-N.

`python -m bench.authorization PORT`, in a process of its own, so that it takes no time
from a load that is measured while a token is refreshed.
"""

import itertools
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_numbers = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    """Answers POST /token."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        number = next(_numbers)
        content = json.dumps(
            {
                "access_token": f"bench-{number}",
                "token_type": "bearer",
                "expires_in": 1209599,
                "refresh_token": f"refresh-{number}",
            }
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
