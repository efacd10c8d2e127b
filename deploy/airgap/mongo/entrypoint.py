#!/usr/bin/python3
"""The container's variables and arguments in, a mongod with its first user out: as the official image does it."""

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

DATA = Path("/data/db")
HAS_USER = DATA / ".has-user"
USER_EXISTS = 51003


def main() -> None:
    """Become the server's user, make the database's first user once, and become the server."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0].startswith("-"):
        arguments = ["mongod", *arguments]
    if arguments[0] != "mongod":
        os.execvp(arguments[0], arguments)  # noqa: S606 - that is what an entry point is for
    if os.getuid() == 0:
        become_mongodb()
    user, password = (os.environ.get(f"MONGO_INITDB_ROOT_{name}") for name in ("USERNAME", "PASSWORD"))
    if user and password:
        arguments.append("--auth")
        if not HAS_USER.exists():
            create_user(arguments, user, password)
    if not any(argument.startswith("--bind_ip") for argument in arguments):
        arguments.append("--bind_ip_all")
    os.execvp(arguments[0], arguments)  # noqa: S606


def become_mongodb() -> None:
    """Give up root."""
    account = pwd.getpwnam("mongodb")
    for path in (DATA, *DATA.rglob("*")):
        os.chown(path, account.pw_uid, account.pw_gid)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)


def create_user(arguments: Sequence[str], user: str, password: str) -> None:
    """Run the server on loopback alone, where a server without users lets one be made."""
    server = subprocess.Popen([*arguments, "--bind_ip", "127.0.0.1"])  # noqa: S603 - our own arguments
    try:
        client: MongoClient[dict[str, Any]]
        with MongoClient("127.0.0.1", directConnection=True, serverSelectionTimeoutMS=60_000) as client:
            try:
                client.admin.command("createUser", user, pwd=password, roles=["root"])
            except OperationFailure as error:
                # An earlier start was interrupted between these two lines.
                if error.code not in (13, USER_EXISTS):
                    raise
    finally:
        server.terminate()
        server.wait()
    HAS_USER.touch()


if __name__ == "__main__":
    main()
