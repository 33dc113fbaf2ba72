"""Other people's test suites are run by themselves, in processes of their own: they bring plugins for all of pytest."""

collect_ignore = ["django", "sqlalchemy"]
