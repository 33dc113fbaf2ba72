from decimal import Decimal

from django.db import migrations, models


def give_credit(apps, schema_editor):  # noqa: ARG001 (Django calls it so)
    apps.get_model("shop", "Customer").objects.filter(name__startswith="%").update(credit=Decimal("0.5"))


class Migration(migrations.Migration):
    dependencies = (("shop", "0001_initial"),)
    operations = (
        migrations.AlterField("Customer", "name", models.CharField(max_length=40, unique=True)),
        migrations.AddField("Customer", "credit", models.DecimalField(max_digits=10, decimal_places=2, default=0)),
        migrations.AddField("Order", "notes", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddConstraint(
            "Order", models.CheckConstraint(condition=models.Q(amount__gte=0), name="no_negative_amount")
        ),
        migrations.AddConstraint(
            "Order", models.CheckConstraint(condition=~models.Q(notes="forbidden 'ü'"), name="no_forbidden_note")
        ),
        migrations.RunPython(give_credit, migrations.RunPython.noop),
    )
