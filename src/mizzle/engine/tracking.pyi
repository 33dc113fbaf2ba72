from collections.abc import Mapping

class Tracked:
    """What one connection's server said last of the session, each None where it said nothing."""

    schema: str | None
    variables: Mapping[str, str]
    gtids: str | None
    transaction_state: str | None
    transaction_characteristics: str | None
    changes: int
    charset_told: bool
    def take(self, state: bytes) -> bool: ...
    def keep(self) -> int: ...
    def begin_anew(self, another_schema: bool, schema: str | None = None) -> int: ...
