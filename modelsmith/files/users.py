"""The people of this machine, and where they live."""

from __future__ import annotations

import os
from pathlib import Path


def home_of(user: str) -> str | None:
    """Return the home folder of a user, or of the one who runs this ("" asks so); None for one that is not known.

    Asks the system's list of users, as Go's ``os/user`` does, and not ``$HOME``; where there is no such list (Windows, a
    browser), only one's own home is known.
    """
    try:
        import pwd
    except ImportError:
        return None if user else str(Path.home())
    try:
        return (pwd.getpwnam(user) if user else pwd.getpwuid(os.getuid())).pw_dir
    except KeyError:
        return None if user else str(Path.home())
