"""Who may use a listener: Host, Origin, fetch metadata, local key, rules.

* `hosts` and `origins` know our own names, as both listeners need them.
* `patterns` matches the allow and deny rules, `keys` reads the local key file.
* `rules` puts them together for one request of the forwarding listener.
"""
