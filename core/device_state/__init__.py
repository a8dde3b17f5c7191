"""The states of a device: deployed (what it shall run), draft (what people edit), reported (what it says it runs)."""

from core.device_state.desired import DesiredStates, Served, Unmodified
from core.device_state.device_apps import DeployedApp, DeviceApps
from core.device_state.differences import Difference
from core.device_state.documents import canonical, check_document, lenient_json
from core.device_state.drafts import ANYTHING, DEVICE_STATES, Drafts, Expected
from core.device_state.drifts import AppDrift, Drift, Standing, ThingDrift, drift
from core.device_state.endpoint_history import EndpointHistory
from core.device_state.endpoints import EndpointChange, EndpointHealth
from core.device_state.events import (
    CurrentStateChanged,
    DraftCancelled,
    ReportRefused,
    TargetStateDeployed,
    TargetStateDrafted,
)
from core.device_state.findings import Caution
from core.device_state.first import TEMPLATE, FirstState
from core.device_state.history import DEPLOYED, DRAFT, Comparison, StateHistory
from core.device_state.model import Content, Deployed, DeployedVersion, Draft, Reported, Target
from core.device_state.past import PastStates, PastStateStore, ReportedVersion, StatesAt
from core.device_state.ports import (
    AppNames,
    DesiredStateStore,
    EndpointChangeStore,
    ReportedStateStore,
    VitalsSink,
)
from core.device_state.redaction import redacted
from core.device_state.reports import Reports
from core.device_state.sensor_views import SensorList, SensorStage, SensorView
from core.device_state.sensors import EditedSensor, Sensors
from core.device_state.settings import SETTINGS

__all__ = [
    "ANYTHING",
    "DEPLOYED",
    "DEVICE_STATES",
    "DRAFT",
    "SETTINGS",
    "TEMPLATE",
    "AppDrift",
    "AppNames",
    "Caution",
    "Comparison",
    "Content",
    "CurrentStateChanged",
    "Deployed",
    "DeployedApp",
    "DeployedVersion",
    "DesiredStateStore",
    "DesiredStates",
    "DeviceApps",
    "Difference",
    "Draft",
    "DraftCancelled",
    "Drafts",
    "Drift",
    "EditedSensor",
    "EndpointChange",
    "EndpointChangeStore",
    "EndpointHealth",
    "EndpointHistory",
    "Expected",
    "FirstState",
    "PastStateStore",
    "PastStates",
    "ReportRefused",
    "Reported",
    "ReportedStateStore",
    "ReportedVersion",
    "Reports",
    "SensorList",
    "SensorStage",
    "SensorView",
    "Sensors",
    "Served",
    "Standing",
    "StateHistory",
    "StatesAt",
    "Target",
    "TargetStateDeployed",
    "TargetStateDrafted",
    "ThingDrift",
    "Unmodified",
    "VitalsSink",
    "canonical",
    "check_document",
    "drift",
    "lenient_json",
    "redacted",
]
