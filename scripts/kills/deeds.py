"""What else a server does when it dies: it packs sound, publishes, transcribes a job, writes an order.

In: an address, a data folder, a source of chance. Out: the deed begun; afterwards, whether what was promised
has been kept.
Not known here: when the server is killed.
"""

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from knowledge_base.types import KnowledgeError
from knowledge_base.versions import VersionFolder

SPEECH = Path(__file__).parents[1] / "demo" / "C064.ogg"
_LONG_AGO_S = 120.0


@dataclass(slots=True)
class Deeds:
    """What was asked of the servers of one data folder."""

    data_dir: Path
    jobs: list[str] = field(default_factory=list)
    orders: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def age(self) -> int:
        """Make the sound of calls that are over old enough to be packed; returns how many there are."""
        with closing(sqlite3.connect(f"file:{self.data_dir / 'zhiting.db'}?mode=ro", uri=True)) as database:
            ended = {row[0] for row in database.execute("SELECT call_id FROM calls WHERE state = 'ended'")}
        then = time.time() - _LONG_AGO_S
        spools = [path for path in (self.data_dir / "audio").glob("*.raw") if path.stem in ended]
        for path in spools:
            os.utime(path, (then, then))
        return len(spools)

    async def leave_job(self, client: httpx.AsyncClient) -> None:
        """Have a recording transcribed."""
        answer = await client.post("/v1/jobs", files=[("files", (SPEECH.name, SPEECH.read_bytes()))])
        if self._is_taken(answer, 201, 429, 507):
            self.jobs.append(answer.json()["job_id"])

    async def make_order(self, client: httpx.AsyncClient) -> None:
        """Write a work order."""
        answer = await client.post("/v1/orders", json={"type": "求助", "summary": f"路灯不亮 {time.time()}"})
        if self._is_taken(answer, 201):
            self.orders.append(answer.json()["order_id"])

    async def publish(self, client: httpx.AsyncClient) -> None:
        """Publish the knowledge base."""
        self._is_taken(await client.post("/v1/kb/publish"), 202, 409)

    def _is_taken(self, answer: httpx.Response, wanted: int, *others: int) -> bool:
        if answer.status_code not in (wanted, *others):
            self.faults.append(f"{answer.request.url.path}: {answer.status_code} {answer.text[:200]}")
        return answer.status_code == wanted

    async def are_over(self, client: httpx.AsyncClient) -> bool:
        """Whether nothing of it is under way any more."""
        for job_id in self.jobs:
            if (await client.get(f"/v1/jobs/{job_id}")).json()["job"]["state"] in ("queued", "running"):
                return False
        return not (await client.get("/v1/kb/publish")).json()["is_running"]

    async def check(self, client: httpx.AsyncClient) -> list[str]:
        """Say what was promised and is not there."""
        found = list(self.faults)
        for job_id in self.jobs:
            told = (await client.get(f"/v1/jobs/{job_id}")).json()
            if told["job"]["state"] != "done" or told["job"]["files"]["done"] != 1:
                found.append(f"job {job_id}: {told['job']['state']}, {told['job']['files']}")
        for order_id in self.orders:
            answer = await client.get(f"/v1/orders/{order_id}")
            if answer.status_code != 200:
                found.append(f"order {order_id}: {answer.status_code}")
        versions = VersionFolder(self.data_dir / "kb")
        if (served := versions.current()) is not None:
            try:
                versions.check(served)
            except KnowledgeError as error:
                found.append(f"knowledge: {error.code}")
        return found
