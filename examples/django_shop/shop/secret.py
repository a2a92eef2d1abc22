"""The key that signs sessions and tokens, the same for all processes of this shop."""

import os
import secrets


def secret_key(path):
    """The key in this file. It is made if it is missing, whole or not at all, and for its owner alone."""
    try:
        return path.read_text()
    except FileNotFoundError:
        pass
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
    try:
        # Fails where another process was faster: then its key it is.
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text()
