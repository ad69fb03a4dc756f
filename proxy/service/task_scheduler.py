"""Windows: a task that runs from the logon of its user on.

See the Task Scheduler schema, [MS-TSCH] section 2.5. It is as the user, without a
stored password and without an administrator, so the keyring and the user's files are
there. pythonw opens no window; as it has no output either, the log goes to a file.
"""

import re
from ntpath import dirname
from typing import Final
from xml.sax.saxutils import escape

from proxy.service.plan import NAME, Service

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"

# Lines, not blocks: who reads the log wants to see what is.
_WITH_LOG: Final = (
    "import os, sys; log = {log!r}; os.makedirs({folder!r}, exist_ok=True); "
    "sys.stdout = sys.stderr = open(log, 'a', 1, 'utf-8'); "
    "sys.argv[0] = {name!r}; from proxy.cli import main; main()"
)


def code(log_file: str, folder: str) -> str:
    """Return what Python is to run, so that all it says goes to `log_file`."""
    return _WITH_LOG.format(log=log_file, folder=folder, name=NAME)


def arguments(service: Service, log_file: str) -> str:
    """Return the command line of pythonw that runs the proxy with a log."""
    run = code(log_file, dirname(log_file))
    return " ".join(map(quoted, ["-c", run, "serve", "-c", service.config_file]))


def quoted(word: str) -> str:
    """Return `word` as one argument, as programs of Microsoft's C library read it.

    Before a quote, backslashes count double; elsewhere they are what they are.
    """
    if word and not re.search(r'[\s"]', word):
        return word
    word = re.sub(r'(\\*)"', r'\1\1\\"', word)
    word = re.sub(r"(\\+)$", r"\1\1", word)
    return f'"{word}"'


def task(service: Service, pythonw: str, log_file: str, user: str) -> str:
    """Return the XML of the task."""
    return f"""\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="{_NAMESPACE}">
  <RegistrationInfo><Description>telemed-proxy</Description></RegistrationInfo>
  <Triggers>
    <LogonTrigger><UserId>{escape(user)}</UserId></LogonTrigger>
  </Triggers>
  <Principals>
    <Principal id="user">
      <UserId>{escape(user)}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>
  </Settings>
  <Actions Context="user">
    <Exec>
      <Command>{escape(pythonw)}</Command>
      <Arguments>{escape(arguments(service, log_file))}</Arguments>
    </Exec>
  </Actions>
</Task>
"""


def instructions(service: Service, pythonw: str, log_file: str, user: str) -> str:
    """Return what to type to install it, and what to use it with later."""
    return (
        "# Paste this into PowerShell. It runs the proxy from each logon of this user "
        "on.\n"
        "@'\n"
        f"{task(service, pythonw, log_file, user)}"
        f'\'@ | Set-Content -Encoding Unicode "$env:TEMP\\{NAME}.xml"\n'
        f'schtasks /Create /TN {NAME} /XML "$env:TEMP\\{NAME}.xml" /F\n'
        f"schtasks /Run /TN {NAME}\n"
        f"{usage(log_file)}"
    )


def usage(log_file: str) -> str:
    """Return the commands for later, with what each does."""
    return (
        "\n# How it is; end it, to run it anew; its log:\n"
        f"#   schtasks /Query /TN {NAME}\n"
        f"#   schtasks /End /TN {NAME}\n"
        f'#   Get-Content -Wait -Tail 20 "{log_file}"\n'
    )


def removal() -> str:
    """Return what to type to have it gone."""
    return f"schtasks /End /TN {NAME}\nschtasks /Delete /TN {NAME} /F\n"
