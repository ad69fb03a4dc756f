"""An authenticating reverse proxy for the Telemedicine Partner API.

Someone logs in once by SMS code; every other request is forwarded with the bearer
token, which is refreshed long before it expires. Where to look:

* `app`, with its halves `app_oauth` and `app_forward`, joins the parts; `server` runs
  them, and `cli` is what people type.
* `forward` is the path of one request; it knows nothing of OAuth.
* `http1` is the grammar of the messages that are forwarded; it does no I/O.
* `oauth` obtains, refreshes and stores the token pair; it knows nothing of forwarding.
* `access` decides who may use a listener; `admin` is the second listener.
* `journal` keeps what was forwarded lately, and shows, masks and exports it.
* `sandbox` is the fake partner API, with fault switches; it imports nothing from here.
* `listeners` are the sockets, `certificate` and `issuing` their TLS; `metrics` counts.
* `service` writes units for the system's service manager, `systemd` speaks with it.
* `hardening`, `secret_files`, `open_files` and `sock_diag` speak with the system.
* `config`, `errors`, `authority`, `redaction`, `recording`, `tasks`, `clock` and `log`
  are ground.
"""

__version__ = "0.1.0"
