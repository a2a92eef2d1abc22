"""What the shop is made from. Whatever differs between machines comes from the environment.

| variable | what it says | unless given |
|---|---|---|
| SHOP_DATABASE | the SQLite file | db.sqlite3 beside manage.py |
| SHOP_SECRET_KEY | what signs sessions and tokens | a file beside the database, made once, readable by its owner alone |
| SHOP_HOSTS | names by which the shop may be asked for, with commas | this computer, and all below .test |
| SHOP_BEHIND_SERVER | `no`: nobody stands in front, so nobody's forwarded headers are believed | `yes` |
| SHOP_DEBUG | `yes`: errors are shown with their code | `no` |
"""

import os
from pathlib import Path

from shop.secret import secret_key

BASE_DIR = Path(__file__).resolve().parent.parent


def said_yes(name, default):
    return os.environ.get(name, default).lower() in ("yes", "1", "true")


DEBUG = said_yes("SHOP_DEBUG", "no")
DATABASE = Path(os.environ.get("SHOP_DATABASE", BASE_DIR / "db.sqlite3"))
SECRET_KEY = os.environ.get("SHOP_SECRET_KEY") or secret_key(DATABASE.with_name("secret.key"))
ALLOWED_HOSTS = os.environ.get("SHOP_HOSTS", "localhost,127.0.0.1,[::1],.test").split(",")

# Over a Unix socket nobody but the server in front of us can ask, and all that is known of the browser is what it says. It must
# strip these fields from what browsers send, and set its own.
if said_yes("SHOP_BEHIND_SERVER", "yes"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    USE_X_FORWARDED_HOST = True

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "store",
]

MIDDLEWARE = [
    "store.middleware.guard",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATABASE,
        # A transaction takes the lock for writing when it begins: two that began with reading would else wait for each other.
        "OPTIONS": {"timeout": 2, "transaction_mode": "IMMEDIATE"},
    }
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "store.Customer"
LOGIN_URL = "/sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
]

# Nothing of a session is kept here, so that any thread of any process knows every visitor.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_AGE = 14 * 86_400
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "store.views.say_form_is_foreign"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

# More than a form of ours has is refused before it is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 128 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50

# Served by the application itself, without a step that collects them first.
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
