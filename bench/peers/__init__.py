"""Everybody who is measured, this proxy among them.

Each takes plain HTTP, adds the token, keeps connections to the HTTPS upstream open, and
writes an access log to a file. Those that can limit the connections to the upstream
have at most 256, as this proxy. Otherwise they are as they come.
"""
