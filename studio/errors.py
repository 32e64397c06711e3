"""The one exception a user is meant to read."""


class StudioError(Exception):
    """Something a person can understand and act on.

    Args:
        what: What happened and where, one sentence.
        todo: What to do next, one sentence; may be empty.
    """

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(f"{what} {todo}".strip())
        self.what = what
        self.todo = todo
