"""How gunicorn runs one application for one child process of framewise: one worker, and one socket."""

import os
import signal
import threading

from gunicorn.config import KNOWN_SETTINGS

bind = "unix:" + os.environ["FRAMEWISE_SOCKET"]
umask = 0o077
workers = 1
worker_class = "gthread"
threads = int(os.environ["FRAMEWISE_THREADS"])
# framewise itself bounds what is in flight, and replaces what hangs.
timeout = 0
# framewise itself bounds lines, fields and their number, and adds some fields; gunicorn's own bounds are below these.
limit_request_line = 0
limit_request_field_size = 1 << 20
limit_request_fields = 1_000
graceful_timeout = 1
keepalive = 1
loglevel = "warning"
accesslog = None
if any(setting.name == "control_socket_disable" for setting in KNOWN_SETTINGS):
    control_socket_disable = True


def _ends_with(socket):
    """Waits until the child process of framewise is gone, and ends with it whatever the worker does."""
    while os.read(socket, 64):
        pass
    os.killpg(0, signal.SIGKILL)


def when_ready(server):
    threading.Thread(target=_ends_with, args=(0,), daemon=True).start()
