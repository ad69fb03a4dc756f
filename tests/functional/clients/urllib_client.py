"""Python's urllib; keep-alive is http.client's, as urllib closes its connections."""

import http.client
import sys
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit


class OldConnection(http.client.HTTPConnection):
    """Speaks HTTP/1.0."""

    _http_vsn = 10
    _http_vsn_str = "HTTP/1.0"


class OldHandler(urllib.request.HTTPHandler):
    """Opens URLs by HTTP/1.0."""

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(OldConnection, request)


def call(
    request: str | urllib.request.Request,
    folder: Path,
    opener: urllib.request.OpenerDirector | None = None,
) -> None:
    opener = opener or urllib.request.build_opener()
    with opener.open(request) as response, (folder / "answer").open("wb") as answer:
        while piece := response.read(65536):
            answer.write(piece)
        print(response.status)


def keepalive(url: str, folder: Path) -> None:
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    for _ in range(3):
        connection.request("GET", parts.path)
        response = connection.getresponse()
        (folder / "answer").write_bytes(response.read())
        print(response.status)
    connection.close()


def form(folder: Path) -> bytes:
    return b"\r\n".join(
        (
            b"--limit",
            b'Content-Disposition: form-data; name="file"; filename="upload.bin"',
            b"Content-Type: application/octet-stream",
            b"",
            (folder / "upload.bin").read_bytes(),
            b"--limit--",
            b"",
        )
    )


def main(operation: str, url: str, folder: Path) -> None:
    match operation:
        case "get" | "download":
            call(url, folder)
        case "http10":
            call(url, folder, urllib.request.build_opener(OldHandler))
        case "post":
            content = (folder / "content.json").read_bytes()
            kind = {"Content-Type": "application/json"}
            call(urllib.request.Request(url, content, kind), folder)
        case "upload":
            kind = {"Content-Type": "multipart/form-data; boundary=limit"}
            call(urllib.request.Request(url, form(folder), kind), folder)
        case "keepalive":
            keepalive(url, folder)
        case _:
            sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
