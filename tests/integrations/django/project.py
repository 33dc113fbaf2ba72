"""Django's settings for the small shop beside: what test_django.py says in the environment."""

import json
import os

import mizzle

WANTED = json.loads(os.environ["DJANGO_DATABASE"])
if WANTED["ENGINE"] == "django.db.backends.mysql":
    mizzle.install_as_MySQLdb()

DATABASES = {"default": WANTED | {"TEST": {"CHARSET": "utf8mb4"}}}
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "of no use"
USE_TZ = True
TIME_ZONE = "UTC"
