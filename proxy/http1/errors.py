"""What is raised for bytes that are not a message."""


class MalformedError(Exception):
    """The bytes break the grammar, or a limit.

    The text is one sentence that holds nothing of the message; `status` is what a
    server answers to a request that is like this.
    """

    def __init__(self, what: str, *, status: int = 400) -> None:
        super().__init__(what)
        self.what = what
        self.status = status
