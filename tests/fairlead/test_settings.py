"""Settings: precedence, origins, unknown keys, secrets."""

from pathlib import Path

import pytest

from fairlead.settings import Settings, load
from storage.errors import Invalid


def config(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "fairlead.toml"
    path.write_text(text, "utf-8")
    return path


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    settings = load(environ={}, folder=tmp_path).settings
    ports = (settings.engine_port, settings.grpc_port, settings.control_port, settings.dashboard_port)
    assert ports == (8010, 8011, 8020, 8501)
    assert settings.home == Path(".fairlead").absolute()
    assert settings.database == f"sqlite:///{settings.home}/fairlead.db"
    assert settings.redis is None
    assert settings.control == "http://127.0.0.1:8020"


def test_each_source_beats_the_one_below_it(tmp_path: Path) -> None:
    user = tmp_path / "xdg" / "fairlead" / "config.toml"
    user.parent.mkdir(parents=True)
    user.write_text("engine_port = 1001\ncontrol_port = 1002\ndashboard_port = 1003\nreplicas = 2\n")
    project = config(tmp_path, "control_port = 2002\ndashboard_port = 2003\nreplicas = 3\n")
    environ = {
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "FAIRLEAD_DASHBOARD_PORT": "3003",
        "FAIRLEAD_REPLICAS": "4",
    }
    loaded = load({"replicas": 5, "engine_port": None}, environ=environ, folder=tmp_path)
    settings = loaded.settings
    assert (settings.engine_port, settings.control_port, settings.dashboard_port, settings.replicas) == (
        1001,
        2002,
        3003,
        5,
    )
    assert loaded.origins["engine_port"] == str(user)
    assert loaded.origins["control_port"] == str(project)
    assert loaded.origins["dashboard_port"] == "FAIRLEAD_DASHBOARD_PORT"
    assert loaded.origins["replicas"] == "flag"
    assert loaded.origins["home"] == "default"


def test_tables_of_the_file_are_the_same_keys(tmp_path: Path) -> None:
    config(tmp_path, "[engine]\nport = 9010\n[control]\nport = 9020\n")
    settings = load(environ={}, folder=tmp_path).settings
    assert (settings.engine_port, settings.control_port) == (9010, 9020)


@pytest.mark.parametrize(
    ("environ", "text", "field", "hint"),
    [
        ({"FAIRLEAD_ENGIN_PORT": "1"}, "", "FAIRLEAD_ENGIN_PORT", "did you mean FAIRLEAD_ENGINE_PORT?"),
        ({}, "dashbord_port = 1", "dashbord_port", "did you mean dashboard_port?"),
        ({}, "zzz = 1", "zzz", "fairlead config show"),
    ],
)
def test_unknown_keys_are_errors_with_a_suggestion(
    tmp_path: Path, environ: dict[str, str], text: str, field: str, hint: str
) -> None:
    config(tmp_path, text)
    with pytest.raises(Invalid) as caught:
        load(environ=environ, folder=tmp_path)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert hint in str(caught.value)


def test_a_wrong_value_names_its_key_and_origin_but_not_itself(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as caught:
        load(environ={"FAIRLEAD_ENGINE_PORT": "seventy-seven"}, folder=tmp_path)
    assert "engine_port" in str(caught.value)
    assert "FAIRLEAD_ENGINE_PORT" in str(caught.value)
    assert "seventy" not in str(caught.value)


def test_variables_of_tests_are_not_settings(tmp_path: Path) -> None:
    environ = {"FAIRLEAD_TEST_POSTGRES": "x", "FAIRLEAD_SHARED_DATA": "y"}
    assert load(environ=environ, folder=tmp_path).settings == load(environ={}, folder=tmp_path).settings


def test_secrets_are_masked_and_may_come_from_files(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://user:hidden@db/fairlead\n")
    loaded = load(environ={"FAIRLEAD_DATABASE_URL_FILE": str(secret)}, folder=tmp_path)
    assert loaded.settings.database == "postgresql://user:hidden@db/fairlead"
    assert loaded.origins["database_url"] == "FAIRLEAD_DATABASE_URL_FILE"
    assert "hidden" not in str(loaded.shown())
    assert "hidden" not in repr(loaded.settings)


def test_a_secret_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="FAIRLEAD_TOKEN_FILE"):
        load(environ={"FAIRLEAD_TOKEN_FILE": str(tmp_path / "absent")}, folder=tmp_path)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = config(tmp_path, "not toml")
    with pytest.raises(Invalid, match=str(path)):
        load(environ={}, folder=tmp_path)


def test_every_key_says_what_it_is() -> None:
    assert all(field.description for field in Settings.model_fields.values())
