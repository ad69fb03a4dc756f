"""Python's requests."""

import sys
from pathlib import Path
from typing import Any

import requests


def call(
    session: requests.Session, method: str, url: str, folder: Path, **content: Any
) -> None:
    with session.request(method, url, stream=True, timeout=60, **content) as response:
        with (folder / "answer").open("wb") as answer:
            for piece in response.iter_content(65536):
                answer.write(piece)
        print(response.status_code)


def main(operation: str, url: str, folder: Path) -> None:
    with requests.Session() as session:
        match operation:
            case "get" | "download":
                call(session, "GET", url, folder)
            case "post":
                content = (folder / "content.json").read_bytes()
                kind = {"Content-Type": "application/json"}
                call(session, "POST", url, folder, data=content, headers=kind)
            case "upload":
                with (folder / "upload.bin").open("rb") as file:
                    call(session, "POST", url, folder, files={"file": file})
            case "keepalive":
                for _ in range(3):
                    call(session, "GET", url, folder)
            case _:
                sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
