"""`python initiate.py KEYFILE`: MONGO_URL in, a replica set of the hosts it names with its user out.

What is there is left alone, so it may be run again. Until there is a user, the servers let in only one another: that is
what the key is for.
"""

import os
import sys
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure
from pymongo.uri_parser import parse_uri

ALREADY_INITIATED = 23
USER_EXISTS = 51003
PATIENCE_MILLISECONDS = 120_000


def client_of(key: str, hosts: list[str], **options: Any) -> MongoClient[dict[str, Any]]:
    """Connect as a member would."""
    return MongoClient(
        hosts,
        username="__system",
        password=key,
        authSource="local",
        authMechanism="SCRAM-SHA-256",
        serverSelectionTimeoutMS=PATIENCE_MILLISECONDS,
        **options,
    )


def hosts_of(address: dict[str, Any]) -> list[str]:
    """Give the members as the set itself is to name them."""
    return [f"{host}:{port}" for host, port in address["nodelist"]]


def initiate(key: str, name: str, hosts: list[str]) -> None:
    """Make the set, once all of its members answer."""
    for host in hosts:
        with client_of(key, [host], directConnection=True) as member:
            member.admin.command("ping")
    members = [{"_id": number, "host": host} for number, host in enumerate(hosts)]
    with client_of(key, hosts[:1], directConnection=True) as first:
        try:
            first.admin.command("replSetInitiate", {"_id": name, "members": members})
            print(f"initiated {name}: {', '.join(hosts)}")  # noqa: T201
        except OperationFailure as error:
            if error.code != ALREADY_INITIATED:
                raise


def create_user(key: str, name: str, address: dict[str, Any]) -> None:
    """Make the services' user: it reads and writes their database and may look at the set."""
    user, password = address["username"], address["password"]
    roles = [{"role": "readWrite", "db": address["database"]}, {"role": "clusterMonitor", "db": "admin"}]
    with client_of(key, hosts_of(address), replicaSet=name) as client:
        try:
            client.admin.command("createUser", user, pwd=password, roles=roles, writeConcern={"w": "majority"})
            print(f"created the user {user}")  # noqa: T201
        except OperationFailure as error:
            if error.code != USER_EXISTS:
                raise


def main() -> None:
    """Read the address and do both."""
    address = parse_uri(os.environ["MONGO_URL"])
    key = "".join(Path(sys.argv[1]).read_text().split())
    name = address["options"]["replicaSet"]
    initiate(key, name, hosts_of(address))
    create_user(key, name, address)


if __name__ == "__main__":
    main()
