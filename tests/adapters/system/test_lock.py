"""One control plane per data folder."""

from pathlib import Path

import pytest

from adapters.system.lock import sole_tenant, tenant_of
from core.errors import Conflict, Unavailable
from entrypoints.wiring.lifespan import control_plane
from tests.support.application import Api


def test_a_second_tenant_is_refused_until_the_first_has_gone(tmp_path: Path) -> None:
    with sole_tenant(tmp_path) as tenure:
        tenure.tell({"port": 3002})
        with pytest.raises(Conflict, match="already"), sole_tenant(tmp_path):
            pass
        said = tenant_of(tmp_path)
        assert said is not None
        assert said["port"] == 3002
    assert tenant_of(tmp_path) is None
    with sole_tenant(tmp_path):
        pass


def test_a_folder_that_is_not_there_has_no_tenant_and_cannot_have_one(tmp_path: Path) -> None:
    assert tenant_of(tmp_path / "nothing") is None
    with pytest.raises(Unavailable), sole_tenant(tmp_path / "nothing"):
        pass


def test_words_that_are_none_are_not_believed(tmp_path: Path) -> None:
    with sole_tenant(tmp_path):
        (tmp_path / "running").write_text("[]", encoding="utf-8")
        assert tenant_of(tmp_path) == {}


async def test_a_second_control_plane_on_the_same_folder_does_not_start(api: Api) -> None:
    with pytest.raises(Conflict, match="runs on"):
        async with control_plane(api.data, {"PORT": "0", "MQTT_PORT": "0"}, installed=False):
            pass
