"""The states of a device: deployed (what it shall run), draft (what people edit), reported (what it says it runs)."""

from core.device_state.desired import DEVICE_STATES, DesiredStates, Served, Unmodified
from core.device_state.documents import lenient_json
from core.device_state.events import (
    CurrentStateChanged,
    DraftCancelled,
    ReportRefused,
    TargetStateDeployed,
    TargetStateDrafted,
)
from core.device_state.first import TEMPLATE, FirstState
from core.device_state.model import Content, Deployed, DeployedVersion, Draft, Reported, Target
from core.device_state.past import PastStates, PastStateStore, ReportedVersion, StatesAt
from core.device_state.ports import DesiredStateStore, ReportedStateStore, VitalsSink
from core.device_state.reports import Reports

__all__ = [
    "DEVICE_STATES",
    "TEMPLATE",
    "Content",
    "CurrentStateChanged",
    "Deployed",
    "DeployedVersion",
    "DesiredStateStore",
    "DesiredStates",
    "Draft",
    "DraftCancelled",
    "FirstState",
    "PastStateStore",
    "PastStates",
    "ReportRefused",
    "Reported",
    "ReportedStateStore",
    "ReportedVersion",
    "Reports",
    "Served",
    "StatesAt",
    "Target",
    "TargetStateDeployed",
    "TargetStateDrafted",
    "Unmodified",
    "VitalsSink",
    "lenient_json",
]
