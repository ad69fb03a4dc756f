"""The layers of a request's path alone: how long each takes, and what it allocates."""
