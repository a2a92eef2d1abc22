"""Between gunicorn and the application: who asks, and what each thread does.

What a thread does is told over the standard input, which is a socket: a line of the thread's number and the state's.
"""

import importlib
import os
import threading

_SOCKET = 0
_here = threading.local()


def _load(name):
    """MODULE:APP, as gunicorn has it; without APP it is `application`."""
    module, _, attribute = name.partition(":")
    found = importlib.import_module(module)
    for part in (attribute or "application").split("."):
        found = getattr(found, part)
    return found


def _say(state):
    number = getattr(_here, "number", None)
    if number is not None:
        os.write(_SOCKET, b"%d %d\n" % (number, state))


def _asks_database(execute, sql, params, many, context):
    """A wrapper as Django's connection.execute_wrapper takes it."""
    _say(4)
    try:
        return execute(sql, params, many, context)
    finally:
        _say(6)


def _watch_django():
    """Every connection that Django makes to a database tells when it is asked."""
    from django.db.backends.signals import connection_created

    def made(connection, **_):
        if _asks_database not in connection.execute_wrappers:
            connection.execute_wrappers.append(_asks_database)

    connection_created.connect(made, weak=False, dispatch_uid="framewise")


_application = _load(os.environ["FRAMEWISE_WSGI"])
try:
    _watch_django()
except ImportError:
    pass
os.write(_SOCKET, b"ready\n")


def application(environ, start_response):
    """The application, told who asks: over a Unix socket gunicorn itself can't know."""
    _here.number = int(environ.pop("HTTP_X_FRAMEWISE_THREAD"))
    client, server = (environ.pop("HTTP_X_FRAMEWISE_" + end).rsplit(" ", 1) for end in ("CLIENT", "SERVER"))
    environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = client
    environ["SERVER_NAME"], environ["SERVER_PORT"] = server
    _say(3)
    return _application(environ, start_response)
