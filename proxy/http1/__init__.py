"""The grammar of HTTP/1.1 messages, as RFC 9112 writes it. Pure: bytes in, values out.

Both legs of a forwarded request read messages with it. What the grammar does not allow
is refused and never mended: a message that two readers understand differently is how
requests are smuggled.
"""
