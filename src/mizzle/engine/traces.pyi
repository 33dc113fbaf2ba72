"""Which commands leave no trace in the session: behind them nothing has to be reset."""

def is_traceless(sql: bytes) -> bool:
    """Can this statement be trusted to leave the session as it was, but for the open transaction?"""
