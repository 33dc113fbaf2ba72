"""Run in SQLAlchemy's source tree: what our requirements.py says of a server is what SQLAlchemy's own say.

The wheel has the compliance suite but not SQLAlchemy's own requirements, so that ours are written down beside it.
They are for both faces; aiomysql's lack one more thing (percent signs in names), which mizzle has.
"""

from requirements import Requirements
from sqlalchemy.testing import config, fixtures
from sqlalchemy.testing.requirements import SuiteRequirements


class RequirementsTest(fixtures.TestBase):
    __backend__ = True
    __only_on__ = ("+pymysql",)

    def test_ours_are_sqlalchemys(self):
        def met(requirements):
            return {name for name in names if getattr(requirements, name).enabled_for_config(config._current)}

        names = [
            name
            for name, kind in vars(SuiteRequirements).items()
            if isinstance(kind, property) and hasattr(getattr(config.requirements, name), "enabled_for_config")
        ]
        theirs, ours = met(config.requirements), met(Requirements())
        assert (theirs - ours, ours - theirs) == (set(), set())
