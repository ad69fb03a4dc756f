"""Who may use a listener: Host, Origin, fetch metadata, local key, rules.

* `hosts` and `origins` know our own names, as both listeners need them.
* `patterns` matches the rules about calls, `keys` reads the local key file.
* `rules` puts them together for one request of the forwarding listener.
* `peers` tells whose process is at the other end of a connection.
* `cookies` keeps the admin page's cookie from others.
* `repeats` knows the calls that cost money, and refuses the same one twice.
"""
