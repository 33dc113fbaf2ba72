"""What mizzle.django has that Django's own backend has not: run by `django test shop.mizzle_cases`."""

import datetime
import sys
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection, connections, transaction
from django.test import TestCase, TransactionTestCase

import mizzle
from mizzle.django.base import DatabaseClient
from shop.cases import order
from shop.models import Customer, Order


def session(variable):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT @@SESSION.{variable}")
        return cursor.fetchone()[0]


def fetches():
    """How often this session had the server fetch rows of a result that it keeps."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Com_stmt_fetch'")
        return int(cursor.fetchone()[1])


class Pooled(TransactionTestCase):
    """The settings ask for a pool of two."""

    def setUp(self):
        connection.close()
        connection.close_pool()

    def test_a_closed_connection_goes_back_and_its_session_is_reset(self):
        seen = set()
        for _ in range(5):
            with connection.cursor() as cursor:
                cursor.execute("SELECT CONNECTION_ID(), @left")
                number, left = cursor.fetchone()
                cursor.execute("SET @left = 1")
            assert left is None
            seen.add(number)
            connection.close()
        assert len(seen) == 1
        assert connection.pool.get_stats()["pool_size"] == 1

    def test_threads_share_it_and_no_more_than_it_has_are_open(self):
        both = threading.Barrier(3)

        def work():
            number = session("pseudo_thread_id")
            both.wait(30)
            both.wait(30)
            connections.close_all()
            return number

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        both.wait(30)
        with pytest.raises(mizzle.PoolTimeout):
            connection.pool.getconn(acquire_timeout=0)
        both.wait(30)
        for thread in threads:
            thread.join()
        assert connection.pool.get_stats()["pool_size"] == 2

    def test_an_open_transaction_is_not_left_to_the_next(self):
        transaction.set_autocommit(False)
        Customer.objects.create(name="uncommitted")
        connection.close()
        assert transaction.get_autocommit()
        assert Customer.objects.count() == 0

    def test_it_wants_requests_to_give_connections_back(self):
        connection.close()
        persistent = connection.copy("persistent")
        persistent.settings_dict["CONN_MAX_AGE"] = 5
        with pytest.raises(ImproperlyConfigured):
            persistent.ensure_connection()


class Options(TestCase):
    def test_they_are_mizzles(self):
        assert session("wait_timeout") == 4321  # init_command
        assert "ANSI_QUOTES" in session("sql_mode").split(",")
        assert connection.connection.timeout == 30.0
        assert isinstance(connection.connection, mizzle.Connection)

    def test_no_module_is_replaced(self):
        assert [name for name in sys.modules if name.split(".")[0] == "MySQLdb"] == []
        assert "django.db.backends.mysql.base" not in sys.modules

    def test_iterator_leaves_the_result_with_the_server(self):
        customer = Customer.objects.create(name="100% binary")
        scans = [bytes([0, 255, number]) for number in range(25)]
        Order.objects.bulk_create(order(customer, n, scan=scan, open_from="7:30") for n, scan in enumerate(scans))
        found = Order.objects.filter(scan__in=scans, customer__name__contains="0% b").order_by("amount")
        before = fetches()
        rows = found.values_list("open_from", "scan").iterator(chunk_size=10)
        assert list(rows) == [(datetime.time(7, 30), scan) for scan in scans]
        assert (after := fetches()) > before
        assert len(found) == len(scans)
        assert fetches() == after

    def test_dbshell(self):
        settings = {
            "NAME": "shop",
            "USER": "me",
            "PASSWORD": "secret",
            "HOST": "",
            "PORT": "",
            "OPTIONS": {"unix_socket": "/run/db.sock", "ssl_ca": "/ca.pem", "ssl": True, "charset": "utf8mb4"},
        }
        arguments, environment = DatabaseClient.settings_to_cmd_args_env(settings, ["--batch"])
        options = ["--user=me", "--socket=/run/db.sock", "--ssl-ca=/ca.pem", "--default-character-set=utf8mb4"]
        assert arguments == ["mysql", *options, "shop", "--batch"]
        assert environment == {"MYSQL_PWD": "secret"}
