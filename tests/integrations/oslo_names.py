"""A plugin of pytest for oslo.db's tests: what eight of them call `pymysql` is mizzle.

Those of pre-ping break a connection by hand: they subclass `pymysql.cursors.Cursor`, pass it as `cursorclass=`, and
patch `pymysql.Connection.ping`. That works with the classes of the driver that connects, which they take for PyMySQL:
with mizzle's under that name the eight pass, with PyMySQL's they would patch what no connection is made of.
"""

import sys
from types import ModuleType

import mizzle

names = ModuleType("pymysql")
names.cursors, names.Connection = mizzle, mizzle.Connection
sys.modules["pymysql"] = names
