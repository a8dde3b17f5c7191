"""A device that does jobs and updates itself."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from entrypoints.simulator import wire
from entrypoints.simulator.ledger import Item
from entrypoints.simulator.moments import iso, millis
from entrypoints.simulator.situation import Situation
from entrypoints.simulator.transport import Failed, Link
from entrypoints.simulator.world import Device

POLL_EVERY = 30.0
JOB_TAKES = 0.5
OK = 200
FAILING = ("false", "exit")


class Working:
    """Jobs come over MQTT, and over HTTP while MQTT is away. One at a time: another one meanwhile is not heard."""

    def __init__(self, device: Device, link: Link, situation: Situation) -> None:
        self._device = device
        self._link = link
        self._situation = situation
        self._orders: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self._busy = False
        self._last: object = None

    async def ask_once(self) -> None:
        """Ask over HTTP and do what there is."""
        try:
            answer = await self._device.world.api.call(wire.next_job(self._device.identity))
        except Failed:
            return
        job = _decoded(answer.body) if answer.status == OK else {}
        if job.get("job_id") and not self._busy:
            await self._do(str(job["job_id"]), job.get("job_document"), over_mqtt=False)

    async def ask_on(self) -> None:
        """Ask over HTTP while there is no MQTT, for ever."""
        while True:
            await asyncio.sleep(self._device.scaled(POLL_EVERY))
            if not self._link.connected:
                await self.ask_once()

    def notified(self, payload: bytes) -> None:
        """A job arrived over MQTT. The same one again is no news."""
        execution = _decoded(payload).get("execution")
        if not isinstance(execution, dict) or not execution.get("jobId") or self._busy:
            return
        mark = (execution["jobId"], execution.get("versionNumber"), execution.get("executionNumber"))
        if mark != self._last:
            self._last = mark
            self._busy = True
            self._orders.put_nowait(execution)

    def update_ordered(self, payload: bytes) -> None:
        """An update of the agent was ordered over MQTT."""
        order = _decoded(payload)
        if order.get("action") == "update" and order.get("version"):
            self._orders.put_nowait(order)

    async def work_on(self) -> None:
        """Do what arrives over MQTT, for ever."""
        while True:
            order = await self._orders.get()
            if "jobId" in order:
                await self._do(str(order["jobId"]), order.get("jobDocument"), over_mqtt=True)
            else:
                await self._update(str(order["version"]))

    async def _do(self, job_id: str, document: Any, *, over_mqtt: bool) -> None:
        self._busy = True
        try:
            started = {"message": "Job execution started", "timestamp": iso(self._device.world.now())}
            await self._say(job_id, {"status": "IN_PROGRESS", "status_details": started}, over_mqtt=over_mqtt)
            await asyncio.sleep(self._device.scaled(JOB_TAKES))
            await self._say(job_id, outcome(document, iso(self._device.world.now())), over_mqtt=over_mqtt)
        finally:
            self._busy = False

    async def _say(self, job_id: str, update: Mapping[str, Any], *, over_mqtt: bool) -> None:
        identity = self._device.identity
        try:
            if over_mqtt:
                await self._link.publish(wire.job_update_over_mqtt(identity, job_id, update))
            else:
                await self._device.world.api.call(wire.job_update_over_http(identity, job_id, update))
        except Failed:
            return
        facts = {"job_id": job_id, "status": update["status"]}
        self._device.world.ledger.write(Item(kind="job", uuid=identity.uuid, facts=facts))

    async def _update(self, version: str) -> None:
        before = self._situation.agent_version
        received = {"type": "update_command_received", "version": version}
        started = {"type": "update_started", "current_version": before, "target_version": version}
        for status in (received, started):
            moment = millis(self._device.world.now())
            try:
                await self._link.publish(wire.agent_status(self._device.identity, {**status, "timestamp": moment}))
            except Failed:
                return
        self._situation.agent_version = version


def outcome(document: Any, timestamp: str) -> dict[str, Any]:
    """What running a job document leads to: `echo` echoes, `false` and `exit` fail, all else succeeds silently."""
    document = _decoded(document.encode()) if isinstance(document, str) else document
    steps = document.get("steps") if isinstance(document, dict) else None
    output: list[str] = []
    for step in steps or ():
        command, *arguments = str((step.get("input") or {}).get("command", "")).split(",")
        name = step.get("name", "step")
        if command in FAILING:
            details = {"error": f"Step failed: {name}", "timestamp": timestamp}
            printed = "".join(output)
            return {"status": "FAILED", "exit_code": 1, "stdout": printed, "stderr": "", "status_details": details}
        said = " ".join(arguments) if command == "echo" else ""
        output.append(f"=== Step: {name} ===\n{said}\n\n")
    message = f"Job completed successfully. Executed {len(output)} steps."
    details = {"message": message, "timestamp": timestamp}
    return {
        "status": "SUCCEEDED",
        "exit_code": 0,
        "stdout": "".join(output),
        "stderr": "",
        "status_details": details,
    }


def _decoded(payload: bytes) -> dict[str, Any]:
    try:
        content = json.loads(payload)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
