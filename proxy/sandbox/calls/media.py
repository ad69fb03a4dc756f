"""Files: uploads, downloads, and streams of any size for tests."""

import re
from functools import partial
from urllib.parse import quote

from proxy.sandbox.answers import (
    Answer,
    StreamAnswer,
    bad_argument,
    item,
    json_answer,
    limit_exceeded,
    not_found,
    page,
)
from proxy.sandbox.calls.call import Call
from proxy.sandbox.data.files import MEBIBYTE, SAMPLE_LIMIT, sample_chunks
from proxy.sandbox.data.patient import Media
from proxy.sandbox.multipart import Part

_SAMPLE = re.compile(r"(sample|stream)-(\d{1,4})m")


def add(call: Call) -> Answer:
    """Store what was uploaded: one file is a single object, several are a list."""
    stored = [media.shown() for media in store_parts(call)]
    if len(stored) == 1:
        return item(stored[0])
    total = len(stored)
    return json_answer({"items": stored, "count": total, "totalCount": total})


def get(call: Call) -> Answer | StreamAnswer:
    """Return the bytes of a file, with the content type it was uploaded with."""
    media_id = call.path["id"]
    sample = _SAMPLE.fullmatch(media_id.lower())
    if sample is not None:
        return _sample(call, sample[1], int(sample[2]))
    media = call.world.media.get(media_id)
    content = media.read() if media is not None else None
    if media is None or content is None:
        raise not_found("media", f"Файл {media_id} не найден.")
    return Answer(content, media.content_type, fields=_disposition(media.file_name))


def get_uploaded(call: Call) -> Answer:
    """List the patient's own uploads, the newest first."""
    uploads = [media.shown() for media in reversed(call.patient.media.values())]
    return page(uploads, *call.paging)


def store_parts(call: Call) -> list[Media]:
    """Store every file of the upload, or none when one of them is too large."""
    files = [part for part in call.parts if part.file_name is not None]
    if not files:
        raise bad_argument("file", "В запросе нет файла.")
    if any(part.too_large for part in files):
        raise limit_exceeded("file", "Размер вложения больше 10 МБ.")
    return [_store(call, part) for part in files]


def _store(call: Call, part: Part) -> Media:
    media = Media(
        id=call.world.new_uuid(),
        file_name=part.file_name or "file",
        content_type=part.content_type,
        size=len(part.content),
        created_at=call.now,
        content=bytes(part.content),
    )
    call.world.keep(media)
    call.patient.media[media.id] = media
    return media


def _sample(call: Call, kind: str, megabytes: int) -> StreamAnswer:
    """Return the same bytes with a length (`sample-64m`) or chunked (`stream-64m`)."""
    if not 1 <= megabytes <= SAMPLE_LIMIT:
        raise not_found("media", f"Примеры: от sample-1m до sample-{SAMPLE_LIMIT}m.")
    return StreamAnswer(
        size=megabytes * MEBIBYTE,
        chunks=partial(sample_chunks, megabytes, call.world.seed),
        with_length=kind == "sample",
        fields=_disposition(f"sample-{megabytes}m.bin"),
    )


def _disposition(name: str) -> tuple[tuple[str, str], ...]:
    plain = re.sub(r'[^ -~]|["\\]', "_", name)
    value = f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
    return (("Content-Disposition", value),)
