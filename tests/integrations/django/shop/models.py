"""A shop: a column of every type that is not like another, and what foreign keys and constraints are for."""

from django.db import models


class Customer(models.Model):
    name = models.CharField(max_length=40, unique=True)
    credit = models.DecimalField(max_digits=10, decimal_places=2, default=0)


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, related_name="orders")
    number = models.UUIDField(unique=True)
    placed = models.DateTimeField()
    due = models.DateField(null=True)
    open_from = models.TimeField(null=True)
    takes = models.DurationField(null=True)
    amount = models.DecimalField(max_digits=10, decimal_places=2)
    weight = models.FloatField(default=0)
    paid = models.BooleanField(default=False)
    notes = models.TextField(blank=True)
    details = models.JSONField(default=dict)
    scan = models.BinaryField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="no_negative_amount"),
            models.CheckConstraint(condition=~models.Q(notes="forbidden 'ü'"), name="no_forbidden_note"),
        )
