"""Wiring: what an installation needs before it starts, and what is said when it cannot be had."""

import errno
import os
import socket
from pathlib import Path

import pytest

from fairlead import supervisor
from fairlead.processes import require_loopback, require_port
from fairlead.settings import Settings
from fairlead.wiring import dashboard_config, engine_config, ensure_home, open_existing, open_store
from storage import migrations
from storage.errors import Conflict, Forbidden, Full, Invalid, Unavailable


def test_a_full_disk_is_told_from_a_read_only_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(_file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(Full, match="free some space"):
        ensure_home(tmp_path / "home")


def test_a_home_that_cannot_be_written_names_the_remedy() -> None:
    with pytest.raises(Unavailable, match="set FAIRLEAD_HOME"):
        ensure_home(Path("/proc/fairlead"))


def test_a_home_is_made_and_left_clean(tmp_path: Path) -> None:
    ensure_home(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_fresh_store_has_schema_and_keys_and_is_opened_again(home: Path) -> None:
    settings = Settings(home=home)
    with pytest.raises(Unavailable, match="fairlead up"):
        open_existing(settings)
    store = open_store(settings)
    assert migrations.is_current(store.database)
    assert {path.stat().st_mode & 0o777 for path in (home / "keys").iterdir()} == {0o600}
    assert open_existing(settings).keys.lookup == store.keys.lookup


def test_an_older_schema_names_the_command(home: Path) -> None:
    settings = Settings(home=home)
    migrations.downgrade(open_store(settings).database)
    with pytest.raises(Unavailable, match="fairlead db upgrade"):
        open_existing(settings)


def test_a_taken_port_names_the_port_and_its_setting() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(Conflict, match=rf"port {port} .*FAIRLEAD_CONTROL_PORT"):
            require_port("127.0.0.1", port, what="control", setting="FAIRLEAD_CONTROL_PORT")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.1.2.3"])
def test_loopback_is_listened_on(host: str) -> None:
    require_loopback(host, signed_in=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org"])
def test_a_network_is_not_listened_on_without_sign_in(host: str) -> None:
    with pytest.raises(Forbidden, match="no sign-in"):
        require_loopback(host, signed_in=False)


def test_two_copies_need_two_homes(home: Path) -> None:
    with supervisor.sole(home), pytest.raises(Conflict, match="FAIRLEAD_HOME"), supervisor.sole(home):
        pass


def test_ports_that_overlap_are_refused(home: Path) -> None:
    settings = Settings(home=home, engine_port=45_610, control_port=45_611, dashboard_port=45_612, replicas=2)
    with pytest.raises(Conflict, match="ports of their own"):
        supervisor.require_ports(settings)


def test_up_runs_its_own_control(home: Path) -> None:
    with pytest.raises(Invalid, match="FAIRLEAD_CONTROL_URL"):
        supervisor.up(Settings(home=home, control_url="http://elsewhere:1"))


def test_replicas_have_ports_logs_and_urls_of_their_own(home: Path) -> None:
    settings = Settings(home=home, engine_port=9000, replicas=2, traffic=False)
    first, second = (engine_config(settings, replica) for replica in range(2))
    assert (first.replica, first.port, first.own_url) == ("engine-0", 9000, "http://127.0.0.1:9000")
    assert (second.replica, second.port, second.own_url) == ("engine-1", 9001, "http://127.0.0.1:9001")
    assert first.control_url == second.control_url == settings.database
    assert [spec.name for spec in supervisor.specs(settings)] == ["control", "engine-0", "engine-1", "dashboard"]
    assert dashboard_config(settings).control_url == settings.control


def test_children_see_the_very_same_settings(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fairlead.settings import load

    settings = Settings(home=home, engine_port=9000, redis_url="redis://:secret@cache:6379/1", solo=True, replicas=3)
    assert load(environ=settings.environ, folder=home).settings == settings
