"""pyformat placeholders (%s, %(name)s, %%), and what is wrong when parameters do not fit them."""

class Template:
    """A statement whose placeholders were found once, to be filled in many times."""

    def __init__(self, sql: str | bytes, codec: str = "utf8") -> None: ...
    @property
    def codec(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...] | None:
        """Of the %(name)s placeholders, in order; None: they are %s."""
    @property
    def count(self) -> int:
        """How many placeholders there are."""
    def marked(self) -> bytes:
        """The statement as COM_STMT_PREPARE wants it: a ? for each placeholder."""
