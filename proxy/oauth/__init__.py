"""The OAuth 2.0 client: logs in, refreshes, stores; it knows nothing of forwarding.

* `phone` and `messages` decide and build; they do no I/O.
* `endpoints` makes the three calls: validation code, password grant, refresh; `late`
  loads it for the first one.
* `stores` keeps the token pair durably; `refresher` keeps it usable.
* `login` is what a person does in two steps.
"""
