import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    operations = (
        migrations.CreateModel(
            "Customer",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=20)),
            ],
        ),
        migrations.CreateModel(
            "Order",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "customer",
                    models.ForeignKey("shop.Customer", django.db.models.deletion.CASCADE, related_name="orders"),
                ),
                ("number", models.UUIDField(unique=True)),
                ("placed", models.DateTimeField()),
                ("due", models.DateField(null=True)),
                ("open_from", models.TimeField(null=True)),
                ("takes", models.DurationField(null=True)),
                ("amount", models.DecimalField(max_digits=10, decimal_places=2)),
                ("weight", models.FloatField(default=0)),
                ("paid", models.BooleanField(default=False)),
                ("details", models.JSONField(default=dict)),
                ("scan", models.BinaryField(null=True)),
            ],
        ),
    )
