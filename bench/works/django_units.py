"""Django's models of the tables, and the units of each work. To be imported when Django's settings are there."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.db import transaction as transactions

from bench.task import check
from bench.works import orm


class Row(models.Model):
    """One of the table that is read."""

    id = models.IntegerField(primary_key=True)
    big = models.BigIntegerField()
    name = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=12, decimal_places=2)
    ratio = models.FloatField()
    created = models.DateTimeField()
    note = models.TextField(null=True)

    class Meta:
        app_label = "bench"
        db_table = "bench_rows"


class Target(models.Model):
    """One of the table that is written."""

    id = models.IntegerField(primary_key=True)
    name = models.CharField(max_length=40)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
    created = models.DateTimeField()

    class Meta:
        app_label = "bench"
        db_table = "bench_target"


def targets(keys: Iterable[int]) -> list[Target]:
    return [Target(**columns) for columns in orm.values(keys)]


# A unit of each work: with the keys that it is for


def key(keys: range) -> None:
    check("id", Row.objects.get(pk=keys[0]).id, keys[0])


def load(keys: range) -> None:
    found = list(Row.objects.filter(id__range=(keys[0], keys[-1])))
    check("objects", (len(found), sum(row.id for row in found)), (len(keys), sum(keys)))


def insert(keys: range) -> None:
    Target.objects.bulk_create(targets(keys))


def update(keys: range) -> None:
    with transactions.atomic():
        for target in Target.objects.filter(id__range=(keys[0], keys[-1])):
            target.amount += 1
            target.save()


def transaction(keys: range) -> None:
    with transactions.atomic():
        giver = Target.objects.select_for_update().get(pk=keys[0])
        taker = Target.objects.select_for_update().get(pk=keys[1])
        giver.amount -= 1
        taker.amount += 1
        giver.save()
        taker.save()
        (added,) = targets([orm.ADDED + keys[0]])
        added.save(force_insert=True)
