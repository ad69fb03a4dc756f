"""The path of one request: fields, target, upstream leg, relay. Knows no OAuth.

* `inbound` is a client's connection, `inbound_server` all of them, `downlink` the way
  back on one, `content` what a client sends.
* `handler` takes each request, `forwarding` is one on its way, `sending` its upstream
  side.
* `pool` lends connections, `dial` opens them, `tls` and `tunnel` are in between.
* `fields`, `target`, `relay`, `rejection` and `replay` decide; they do no I/O.
"""
