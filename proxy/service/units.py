"""systemd's units: of one user, or of the whole system.

See systemd.service(5), systemd.socket(5) and systemd.exec(5). What keeps a service in
its bounds stands in two lists. `_BOUNDS` are kept by the kernel's filter of system
calls, which everybody may set. `_SYSTEM_BOUNDS` need a view of the file system of its
own, which the manager of a user can make only where the kernel gives out user
namespaces; many distributions do not, and there the service would not start.
"""

from collections.abc import Iterable
from typing import Final

from proxy.config import Address
from proxy.service.plan import NAME, Service

MARK: Final = "# Written by telemed-proxy service install"
_HINT = f"{MARK}: for changes, use systemctl edit, or install again."
_CONFIG: Final = "# Config: "

SERVICE_UNIT: Final = f"{NAME}.service"
SOCKET_UNIT: Final = f"{NAME}.socket"

# 3: a config that is at fault is so the next time, too. 143, 130: it was told to end.
_RUNNING = """\
Type=notify
Restart=on-failure
RestartSec=2
RestartPreventExitStatus=2 3
SuccessExitStatus=130 143
WatchdogSec=30
TimeoutStopSec=30
LimitNOFILE=65536
LimitCORE=0
UMask=0077
"""

# No core dump: setting that limit is among @resources, which are closed otherwise.
_BOUNDS = """\
NoNewPrivileges=true
LockPersonality=true
MemoryDenyWriteExecute=true
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=true
RestrictRealtime=true
RestrictSUIDSGID=true
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=setrlimit prlimit64
"""

_SYSTEM_BOUNDS = f"""\
DynamicUser=true
StateDirectory={NAME}
StateDirectoryMode=0700
CapabilityBoundingSet=
AmbientCapabilities=
DevicePolicy=closed
PrivateDevices=true
PrivateMounts=true
PrivateTmp=true
PrivateUsers=true
ProcSubset=pid
ProtectClock=true
ProtectControlGroups=true
ProtectHome=true
ProtectHostname=true
ProtectKernelLogs=true
ProtectKernelModules=true
ProtectKernelTunables=true
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=true
"""


def units(service: Service) -> dict[str, str]:
    """Return the text of each unit by its name."""
    texts = {SERVICE_UNIT: _service_unit(service)}
    if service.given:
        texts[SOCKET_UNIT] = _socket_unit(service)
    return texts


def config_of(unit: str) -> str | None:
    """Return the config file that the text of a unit of ours names."""
    for line in unit.splitlines():
        if line.startswith(_CONFIG):
            return line.removeprefix(_CONFIG)
    return None


def _service_unit(service: Service) -> str:
    head = ["Description=telemed-proxy, the Telemedicine Partner API without a login"]
    target = "multi-user.target" if service.system else "default.target"
    install = [f"WantedBy={target}"]
    if service.given:
        head += [f"Requires={SOCKET_UNIT}", f"After={SOCKET_UNIT}"]
        install.append(f"Also={SOCKET_UNIT}")
    if service.system:
        head += ["Wants=network-online.target", "After=network-online.target"]
    # A colon: $ has no meaning in what follows.
    start = " ".join(quoted(word) for word in service.command)
    run = [f"ExecStart=:{start}", *_environment(service), *_credentials(service)]
    bounds = _BOUNDS + (_SYSTEM_BOUNDS if service.system else "")
    return _unit(
        [_HINT, _CONFIG + service.config_file],
        Unit=head,
        Service=[*run, *_RUNNING.splitlines(), *bounds.splitlines()],
        Install=install,
    )


def _environment(service: Service) -> Iterable[str]:
    # Not store.url, which would go before what is put into the config later.
    if service.system:
        yield "Environment=XDG_STATE_HOME=%S"
        for setting in service.config.secret_files:
            variable = f"TELEMED_PROXY__{setting.replace('.', '__').upper()}"
            yield f"Environment={variable}=%d/{setting}"
    elif service.state_home:
        yield f"Environment={quoted(f'XDG_STATE_HOME={service.state_home}')}"


def _credentials(service: Service) -> Iterable[str]:
    """Yield what hands the files of secrets to a user who could not read them.

    The service of a user reads its files where they are, and sees when they change.
    """
    if service.system:
        for setting, file in service.config.secret_files.items():
            yield f"LoadCredential={setting}:{_plain(str(file))}"


def _socket_unit(service: Service) -> str:
    lines = [f"ListenStream={stream(address)}" for address in service.given]
    if any(":" in address.host for address in service.given):
        # Else [::] would take the other version's port as well, unlike the program.
        lines.append("BindIPv6Only=ipv6-only")
    if any(not address.is_loopback for address in service.given):
        lines.append("FreeBind=true")  # sockets are opened before networks are there
    if any(address.path is not None for address in service.given):
        lines += ["SocketMode=0600", "RemoveOnStop=true"]
    lines.append("Backlog=1024")
    return _unit(
        [_HINT],
        Unit=["Description=Where telemed-proxy takes requests"],
        Socket=lines,
        Install=["WantedBy=sockets.target"],
    )


def stream(address: Address) -> str:
    """Return `address` as ListenStream= has it; TLS is the program's matter."""
    text = str(address.place) if address.path is None else str(address.path)
    return _plain(text)


def quoted(word: str) -> str:
    """Return `word` as one word of a unit's setting."""
    word = _plain(word).replace("\\", "\\\\").replace('"', '\\"')
    return word if word and not set(word) & set(" \t\"'\\;") else f'"{word}"'


def _plain(text: str) -> str:
    return text.replace("%", "%%")


def _unit(comments: Iterable[str], **sections: Iterable[str]) -> str:
    blocks = ["\n".join([f"[{name}]", *lines, ""]) for name, lines in sections.items()]
    return "\n".join([*comments, *blocks])
