"""Django's ORM, synchronous, on a connection that stays open."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import django
from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Count, Sum

from bench.catalog import CONTESTANTS
from bench.measure import Figures, Meter
from bench.peers import Peer
from bench.task import Task
from bench.works import orm
from bench.worlds import World

#: How each driver is told to leave TLS.
OPTIONS: dict[str, dict[str, Any]] = {
    "mizzle": {"ssl_mode": "disabled"},
    "mysqlclient": {"ssl_mode": "DISABLED"},
    "pymysql": {"ssl_disabled": True},
}


def configure(task: Task) -> None:
    """Settings; where the driver is PyMySQL it stands in for mysqlclient, as programs have it do."""
    driver = CONTESTANTS[task.contestant].driver
    if driver == "pymysql":
        import pymysql  # noqa: PLC0415 (one of several drivers)

        pymysql.install_as_MySQLdb()
    server = task.settings
    database = {
        "ENGINE": "mizzle.django" if driver == "mizzle" else "django.db.backends.mysql",
        "NAME": server.database,
        "USER": server.user,
        "PASSWORD": server.password,
        "HOST": server.host,
        "PORT": server.port,
        "OPTIONS": OPTIONS[driver],
        "CONN_MAX_AGE": None,
    }
    django_settings.configure(DATABASES={"default": database}, USE_TZ=False)
    django.setup()


def run(task: Task, peer: Peer, world: World) -> Figures:  # noqa: ARG001 (Django connects by itself, in one thread)
    configure(task)
    django_units: Any = import_module("bench.works.django_units")
    plan = orm.Plan(task)
    unit: Callable[[range], None] = getattr(django_units, plan.unit)
    targets = django_units.Target.objects
    targets.all().delete()
    targets.bulk_create(django_units.targets(plan.beforehand))
    for keys in plan.warm_up:
        unit(keys)
    with Meter() as meter:
        for keys in plan.measured:
            unit(keys)
    found = targets.aggregate(count=Count("pk"), amount=Sum("amount"))
    plan.check(found["count"], found["amount"])
    connection.close()
    return meter.figures(plan.things)
