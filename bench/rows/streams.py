"""Downloads and uploads by curl, 64 MB and 1 GB: rate, CPU and peak memory."""

from bench import curl
from bench.lab import Lab, say
from bench.peers.running import Running
from bench.rows.requests import warm_up
from bench.upstream import AUTHORIZATION, SIZES, UPLOAD, file_target

SECTION = "streams"
LARGE = ("64 MB", "1 GB")
DIRECT = "direct"

# Others tell nothing new here, and take minutes.
NAMES = ("nginx", "haproxy", "Caddy", "http-proxy", "plain aiohttp")


def measure(lab: Lab) -> None:
    """Measure each way and size in turns; a direct transfer goes along."""
    lab.results.forget(SECTION)
    names = [name for name in lab.names() if name in NAMES or "telemed" in name]
    for size in LARGE:
        # Started anew for each size: a peak is compared with that of another start.
        with lab.running(*names) as everybody:
            warm_up(everybody, clients=2)
            # From here on the file is in memory.
            _transfer(lab, lab.upstream.url, "download", size, *_trust(lab))
            for number in range(_rounds(lab, size)):
                first = number % len(everybody)
                for way in ("download", "upload"):
                    say(f"{SECTION}: {way} of {size}, round {number + 1}")
                    _direct(lab, way, size)
                    for one in (*everybody[first:], *everybody[:first]):
                        _through(lab, one, way, size)


def _rounds(lab: Lab, size: str) -> int:
    # A small one is over in a tenth of a second, and varies the more.
    return 3 * lab.options.rounds if size == "64 MB" else max(3, lab.options.rounds)


def _direct(lab: Lab, way: str, size: str) -> None:
    got = _transfer(lab, lab.upstream.url, way, size, *_trust(lab))
    rate = SIZES[size] / got.seconds / 1e6
    lab.results.add(SECTION, f"{way} {size}", DIRECT, "rate", rate)


def _trust(lab: Lab) -> tuple[str, ...]:
    return ("--cacert", str(lab.upstream.ca_file), "--header", AUTHORIZATION)


def _through(lab: Lab, one: Running, way: str, size: str) -> None:
    where = (SECTION, f"{way} {size}", one.name)
    one.program.forget_peak()
    before = one.program.cpu()
    got = _transfer(lab, one.url, way, size)
    gigabytes = SIZES[size] / 1e9
    lab.results.add(*where, "rate", SIZES[size] / got.seconds / 1e6)
    lab.results.add(*where, "cpu", (one.program.cpu() - before) / gigabytes)
    lab.results.add(*where, "peak", one.program.peak_memory())


def _transfer(
    lab: Lab, origin: str, way: str, size: str, *options: str
) -> curl.Transfer:
    length = SIZES[size]
    if way == "download":
        got = curl.run(origin + file_target(size), *options, folder=lab.folder)
        right = got.down == length
    else:
        file = lab.folder / "files" / str(length)
        upload = ("--request", "POST", "--upload-file", file)
        got = curl.run(origin + UPLOAD, *upload, *options, folder=lab.folder)
        right = got.answer == f'{{"received": {length}}}'
    if not right:
        raise curl.TransferError(f"{way} of {size} through {origin}: {got}")
    return got
