"""What Django does on every engine that mizzle stands under: run by `django test shop.cases`."""

import datetime
import threading
import uuid
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DataError, IntegrityError, OperationalError, connection, connections, models, transaction
from django.test import TestCase, TransactionTestCase
from django.test.utils import CaptureQueriesContext
from django.utils.safestring import SafeString

from shop.models import Customer, Order

PLACED = datetime.datetime(2024, 2, 29, 23, 59, 59, 123456, datetime.timezone.utc)


def order(customer, amount="1.00", **columns):
    return Order(customer=customer, number=uuid.uuid4(), placed=PLACED, amount=Decimal(amount), **columns)


class Objects(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.customer = Customer.objects.create(name="Zoë O'Brien 100% \\ 🐬")

    def test_every_type_comes_back_as_it_went(self):
        given = {
            "due": datetime.date(2024, 3, 1),
            "open_from": datetime.time(7, 30, 0, 5),
            "takes": datetime.timedelta(days=-1, microseconds=7),
            "weight": 0.1,
            "paid": True,
            "notes": SafeString("100 % 'sure' \\"),
            "details": {"a": [1, None, "ü"], "b": {"c": 0.5}},
            "scan": bytes(range(256)),
        }
        made = order(self.customer, "12345678.90", **given)
        made.save()
        assert isinstance(made.pk, int)
        found = Order.objects.select_related("customer").get(number=made.number)
        assert {name: getattr(found, name) for name in given} == given
        assert (found.placed, found.amount) == (PLACED, Decimal("12345678.90"))
        assert found.customer.name == self.customer.name
        assert type(found.paid) is bool

    def test_quoted_values_are_formatted_into_statements(self):
        quote = connection.schema_editor().quote_value
        assert (quote(b"it's"), quote(True), quote("ü")) == (b"'it\\'s'", b"1", "'ü'")  # mysqlclient's types
        for value in ("O'Brien ü", b"\xff\0 'x' \\", b"", True, 7):
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT {quote(value)}")
                assert cursor.fetchone() == (value,)

    def test_lookups(self):
        Order.objects.bulk_create(
            order(self.customer, number, notes=f"50% _{number}_", details={"n": number}) for number in range(30)
        )
        assert Order.objects.filter(notes__contains="% _7_").count() == 1
        assert Order.objects.filter(details__n__gt=27).count() == 2
        assert Order.objects.filter(placed__year=2024, placed__day=29, placed__hour=23).count() == 30
        assert [one.amount for one in Order.objects.order_by("-amount")[2:4]] == [27, 26]
        assert Order.objects.filter(amount__lt=3).update(paid=False) == 3  # they matched, none has changed
        changed = list(Order.objects.filter(amount__lt=3))
        for one in changed:
            one.notes = f"changed {one.pk}"
        assert Order.objects.bulk_update(changed, ["notes"]) == 3
        assert Order.objects.filter(notes__startswith="changed").delete()[0] == 3

    def test_aggregation(self):
        other = Customer.objects.create(name="other")
        for customer, amounts in ((self.customer, (1, 2, 6)), (other, (10,))):
            for amount in amounts:
                order(customer, amount).save()
        sums = Customer.objects.annotate(total=models.Sum("orders__amount"), n=models.Count("orders")).order_by(
            "-total"
        )
        assert [(one.total, one.n) for one in sums] == [(10, 1), (9, 3)]
        found = Order.objects.aggregate(
            mean=models.Avg("amount"), least=models.Min("amount"), last=models.Max("placed")
        )
        assert found == {"mean": Decimal("4.75"), "least": Decimal("1.00"), "last": PLACED}
        shares = Order.objects.annotate(
            rank=models.Window(models.functions.RowNumber(), order_by=models.F("amount").desc())
        )
        assert sorted((one.rank, one.amount) for one in shares) == [(1, 10), (2, 6), (3, 2), (4, 1)]

    def test_iterator(self):
        Order.objects.bulk_create(order(self.customer, number) for number in range(25))
        seen = []
        for one in Order.objects.filter(notes="").order_by("amount").iterator(chunk_size=10):
            Order.objects.filter(pk=one.pk).update(paid=True)  # another statement while rows are left
            seen.append(one.amount)
        assert seen == [*range(25)]
        assert Order.objects.filter(paid=True).count() == 25

    def test_what_was_executed_is_shown(self):
        with CaptureQueriesContext(connection) as captured:
            list(Customer.objects.filter(name="100% 'ü'"))
            with connection.cursor() as cursor:
                cursor.execute("SELECT '%'")
        first, second = (query["sql"] for query in captured)
        assert "= '100% ''ü'''" in first
        assert second == "SELECT '%'"

    def test_errors(self):
        for kind, values in (
            (IntegrityError, {"number": uuid.UUID(int=1)}),
            (IntegrityError, {"customer_id": self.customer.pk, "amount": -1}),
            (IntegrityError, {"customer_id": self.customer.pk, "notes": "forbidden 'ü'"}),
            (DataError, {"customer_id": self.customer.pk, "amount": Decimal("123456789.00")}),
        ):
            made = Order(**{"number": uuid.uuid4(), "placed": PLACED, "amount": 1} | values)
            with self.subTest(kind=kind, values=values), pytest.raises(kind), transaction.atomic():
                made.save(force_insert=True)
        assert Order.objects.count() == 0

    def test_inspectdb(self):
        output = StringIO()
        call_command("inspectdb", "shop_customer", "shop_order", stdout=output)
        for line in (
            "name = models.CharField(unique=True, max_length=40",
            "customer = models.ForeignKey(ShopCustomer, models.DO_NOTHING",
            "placed = models.DateTimeField()",
            "amount = models.DecimalField(max_digits=10, decimal_places=2)",
            "details = models.JSONField()",
            "open_from = models.TimeField(blank=True, null=True)",
            "takes = models.BigIntegerField(blank=True, null=True)",
        ):
            assert line in output.getvalue()


class Transactions(TransactionTestCase):
    def test_atomic(self):
        done = []
        with transaction.atomic():
            Customer.objects.create(name="kept")
            with pytest.raises(IntegrityError), transaction.atomic():  # noqa: PT012 (it is the block that is undone)
                Customer.objects.create(name="undone")
                Customer.objects.create(name="kept")
            transaction.on_commit(lambda: done.append("committed"))
            assert done == []
        assert done == ["committed"]
        with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012 (it is the block that is undone)
            Customer.objects.create(name="lost")
            raise ZeroDivisionError
        assert list(Customer.objects.values_list("name", flat=True)) == ["kept"]
        assert transaction.get_autocommit()

    def test_another_connection_sees_what_is_committed_and_a_lock_keeps_it_out(self):
        Customer.objects.create(name="shared", credit=1)
        with transaction.atomic():
            locked = Customer.objects.select_for_update().get()
            locked.credit = 2
            locked.save()
            assert in_a_thread(lambda: Customer.objects.get().credit) == 1
            with pytest.raises(OperationalError) as caught:
                in_a_thread(take_the_lock)
            assert caught.value.args[0] in (1205, 3572)
        assert in_a_thread(lambda: Customer.objects.get().credit) == 2

    def test_the_isolation_level_is_djangos(self):
        for _ in range(2):
            with connection.cursor() as cursor:
                cursor.execute("SHOW VARIABLES WHERE Variable_name IN ('transaction_isolation', 'tx_isolation')")
                assert {value for _, value in cursor.fetchall()} == {"READ-COMMITTED"}
            connection.close()

    def test_a_connection_that_was_killed_is_replaced(self):
        with connection.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID()")
            (number,) = cursor.fetchone()
        in_a_thread(lambda: kill(number))
        assert not connection.is_usable()
        connection.close_if_unusable_or_obsolete()
        connection.close()
        assert Customer.objects.count() == 0

    def test_migrations_go_back_and_forth(self):
        call_command("migrate", "shop", "0001", verbosity=0)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO shop_customer (name) VALUES (%s), (%s)", ["%", "none"])
        call_command("migrate", "shop", verbosity=0)
        assert dict(Customer.objects.values_list("name", "credit")) == {"%": Decimal("0.50"), "none": 0}
        call_command("makemigrations", "shop", check=True, dry_run=True, verbosity=0)


def in_a_thread(work):
    """What `work` gives in another thread, which has a connection of its own."""
    outcome = {}

    def run():
        try:
            outcome["result"] = work()
        except Exception as error:  # noqa: BLE001 - raised to the caller below
            outcome["error"] = error
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["result"]


def take_the_lock():
    with transaction.atomic():
        return Customer.objects.select_for_update(nowait=True).get()


def kill(number):
    with connection.cursor() as cursor:
        cursor.execute(f"KILL {number:d}")
