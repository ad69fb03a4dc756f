"""Has the system keep the proxy running: `telemed-proxy service`.

* `plan` says what a service is, what its sockets are, and what stands in its way.
* `units` writes systemd's units, `launchd` macOS's property list, `task_scheduler`
  Windows's task: texts, and the commands that go with them.
* `unit_files` puts units in their place and knows which are ours; `systemctl` asks and
  tells the service manager.
"""
