"""Files of several kinds, made and not stored: pictures, PDFs, big streams."""

import random
import struct
import zlib
from collections.abc import Iterator
from functools import lru_cache

MEBIBYTE = 1024 * 1024
SAMPLE_LIMIT = 1024


def make_png(name: str, size: int = 96) -> bytes:
    """Return a picture that differs by `name`: a symmetric pattern of blocks."""
    source = random.Random(name)  # noqa: S311
    ink = bytes(source.randrange(40, 200) for _ in range(3))
    cells = [[source.random() < 0.5 for _ in range(3)] for _ in range(6)]
    rows = []
    for y in range(size):
        half = cells[y * 6 // size]
        line = [*half, *reversed(half)]
        pixels = (ink if line[x * 6 // size] else b"\xf4\xf4\xf4" for x in range(size))
        rows.append(b"\0" + b"".join(pixels))
    head = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(b"".join(rows))), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks)


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def make_pdf(title: str) -> bytes:
    """Return a one-page PDF that says `title`; a reader opens it."""
    # Standard fonts have no Cyrillic, so the page says it in Latin letters.
    text = title.encode("ascii", "replace").replace(b"(", b"[").replace(b")", b"]")
    stream = b"BT /F1 18 Tf 72 760 Td (" + text + b") Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    body, offsets = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start, count = len(body), len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table)
    body += b"trailer\n<< /Size %d /Root 1 0 R >>\n" % count
    return bytes(body + b"startxref\n%d\n%%%%EOF\n" % start)


def sample_chunks(megabytes: int, seed: int = 1) -> Iterator[bytes]:
    """Yield the content of `sample-<megabytes>m`, a mebibyte at a time."""
    block = _block(seed)
    for index in range(megabytes):
        # Numbered, so that a chunk lost, repeated or moved changes the hash.
        yield struct.pack(">Q", index) + block


@lru_cache(maxsize=4)
def _block(seed: int) -> bytes:
    return random.Random(f"{seed}:sample").randbytes(MEBIBYTE - 8)  # noqa: S311
