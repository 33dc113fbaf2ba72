"""The load: compute nodes that report themselves, and ports that want addresses of a pool too small for all of them.

Knows placement's HTTP API. Must not know what serves it.
"""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

HEADERS = {
    "Content-Type": "application/json",
    "OpenStack-API-Version": "placement 1.36",
    "X-Auth-Token": "admin:admin",  # auth_strategy = noauth2
}
ADDRESS = "IPV4_ADDRESS"


@dataclass
class Load:
    """How much is asked for, by how many at once."""

    form: str
    clients: int
    nodes: int
    """For each client."""
    claims: int
    """For each client; for two of three there is an address."""

    @property
    def addresses(self) -> int:
        return self.clients * self.claims * 2 // 3


@dataclass
class Outcome:
    """What the clients saw; filled by many threads, a whole item at a time."""

    seconds: list[float] = field(default_factory=list)
    """Of each request."""
    nodes: list[str] = field(default_factory=list)
    """Those that were read back as they were written."""
    claims: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


class Api:
    """One client's connection."""

    def __init__(self, port: int, outcome: Outcome) -> None:
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.outcome = outcome

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        begin = time.perf_counter()
        self.http.request(method, path, None if body is None else json.dumps(body), HEADERS)
        answer = self.http.getresponse()
        content = answer.read()
        self.outcome.seconds.append(time.perf_counter() - begin)
        return answer.status, json.loads(content) if content else None

    def must(self, method: str, path: str, body: Any = None) -> Any:
        status, answer = self.ask(method, path, body)
        if status not in (200, 204):
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def provide(self, name: str, inventories: dict[str, int]) -> str:
        """A new resource provider; its UUID."""
        provider = self.must("POST", "/resource_providers", {"name": name, "uuid": str(uuid.uuid4())})
        new = {kind: {"total": total, "max_unit": total} for kind, total in inventories.items()}
        body = {"resource_provider_generation": provider["generation"], "inventories": new}
        self.must("PUT", f"/resource_providers/{provider['uuid']}/inventories", body)
        return str(provider["uuid"])


def report_node(api: Api, name: str, cores: int) -> None:
    """A compute node appears; what placement says of it is what it was told."""
    inventories = {"VCPU": cores, "MEMORY_MB": cores * 4096}
    node = api.provide(name, inventories)
    told = api.must("GET", f"/resource_providers/{node}/inventories")["inventories"]
    found = api.must("GET", f"/resource_providers?name={name}")["resource_providers"]
    if {kind: one["total"] for kind, one in told.items()} == inventories and [one["uuid"] for one in found] == [node]:
        api.outcome.nodes.append(node)
    else:
        api.outcome.wrong.append(f"{name} was read back as {told}, {found}")


def claim_address(api: Api, pool: str) -> None:
    """A port wants an address: yes, no, or somebody else was changing the same, and it asks again."""
    claim = {
        "allocations": {pool: {"resources": {ADDRESS: 1}}},
        "project_id": "admin",
        "user_id": "admin",
        "consumer_generation": None,
    }
    port = str(uuid.uuid4())
    while True:
        status, answer = api.ask("PUT", f"/allocations/{port}", claim)
        if status == 409 and answer["errors"][0]["code"] == "placement.concurrent_update":
            api.outcome.claims["asked again"] += 1
            continue
        break
    if status == 204:
        api.outcome.claims["given"] += 1
    elif status == 409:
        api.outcome.claims["refused"] += 1
    else:
        api.outcome.wrong.append(f"a claim was answered {status} {answer}")


def run(load: Load, port: int) -> tuple[Outcome, float, int]:
    """All clients at once. What they saw, the seconds that it took, and how many addresses placement says are used."""
    outcome, aside = Outcome(), Outcome()
    pool = Api(port, aside).provide(f"{load.form}-addresses", {ADDRESS: load.addresses})

    def client(number: int) -> None:
        mine = Api(port, outcome)
        try:
            for node in range(load.nodes):
                report_node(mine, f"{load.form}-{number}-{node}", cores=8 + node)
            for _ in range(load.claims):
                claim_address(mine, pool)
        except Exception as error:  # noqa: BLE001 - reported
            outcome.wrong.append(f"client {number}: {error!r}")

    begin = time.perf_counter()
    with ThreadPoolExecutor(load.clients) as threads:
        list(threads.map(client, range(load.clients)))
    seconds = time.perf_counter() - begin
    used = Api(port, aside).must("GET", f"/resource_providers/{pool}/usages")["usages"][ADDRESS]
    return outcome, seconds, int(used)
