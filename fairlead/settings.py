"""Settings: flags, ``FAIRLEAD_*``, ``fairlead.toml``, the user's file, defaults, in this order; each key is known."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from storage.errors import Invalid, Problem

PREFIX = "FAIRLEAD_"
FOREIGN = ("TEST_", "SHARED_DATA", "BENCH_", "SECRET_")
"""Names after ``FAIRLEAD_`` that belong to tests and benchmarks, and the secrets of catalogue syncs."""

_OPTIONAL = (
    *("database_url", "redis_url", "control_url", "token", "oidc_issuer", "oidc_client_secret", "oidc_audience"),
    *("alert_destinations", "heartbeat_url"),
)
Port = Annotated[int, Field(ge=1, le=65_535)]


class Settings(BaseSettings):
    """What an installation is told from outside.

    Each field is a key of ``fairlead.toml`` and, in capitals after ``FAIRLEAD_``, an environment variable;
    ``FAIRLEAD_<KEY>_FILE`` reads the value from a file.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=True)

    home: Path = Field(default=Path(".fairlead"), description="the folder that holds all data")
    environment: str = Field(
        default="development", pattern=r"^[a-z][a-z0-9_-]{0,31}$", description="the name of this installation's stage"
    )
    solo: bool = Field(default=False, description="one person runs this: author may approve, stamped on every entry")
    host: str = Field(default="127.0.0.1", description="the address that engine, control and dashboard listen on")
    engine_port: Port = Field(default=8010, description="replica k listens on this port + k")
    grpc_port: Port = Field(default=8011, description="kept for gRPC, which this version does not serve")
    control_port: Port = Field(default=8020, description="the control API")
    dashboard_port: Port = Field(default=8501, description="the dashboard")
    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL for control state; SQLite in the home folder when not set"
    )
    redis_url: SecretStr | None = Field(
        default=None, description="Redis for what is known of people; in the engine's memory when not set"
    )
    replicas: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="how many engines `fairlead up` runs")
    traffic: bool = Field(default=True, description="whether `fairlead up` drives paced requests from logged contexts")
    traffic_rate: Annotated[float, Field(gt=0, le=1_000)] = Field(
        default=4.0, description="requests a second of that traffic"
    )
    story: bool = Field(default=True, description="whether the first `fairlead up` lives through 30 simulated days")
    plugin_ms: Annotated[int, Field(ge=1, le=5_000)] = Field(
        default=40, description="how long a decision waits for an installed plugin, in milliseconds"
    )
    job_seconds: Annotated[int, Field(ge=1)] = Field(default=1_800, description="how long one job may run")
    job_memory_mb: Annotated[int, Field(ge=256)] = Field(default=8_192, description="how much memory one job may take")
    retention_max_bytes: Annotated[int, Field(ge=0)] = Field(
        default=10 << 30,
        description="how large the lake may grow; beyond it the oldest day's rows go, their counts stay",
    )
    drift_window_seconds: Annotated[int, Field(ge=60)] = Field(
        default=3_600, description="how much time the watch over drift looks at together"
    )
    retrain_minor: bool = Field(default=True, description="whether small models are retrained every hour")
    retrain_major: bool = Field(default=True, description="whether large models are retrained once a day")
    retrain_hour: Annotated[int, Field(ge=0, le=23)] = Field(default=3, description="the hour of the daily retraining")
    retrain_zone: str = Field(default="UTC", description="the time zone of that hour, by its IANA name")
    oidc_issuer: str | None = Field(
        default=None, description="the identity provider that people sign in with (OpenID Connect), an https:// address"
    )
    oidc_client_id: str = Field(default="fairlead", description="what the identity provider calls this installation")
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="the secret that it gave this installation; the dashboard's sign-in needs it"
    )
    oidc_audience: str | None = Field(
        default=None, description="for whom tokens must be made out; the client id when not set"
    )
    oidc_name: str = Field(default="sub", description="the claim that names a person for good; four eyes go by it")
    oidc_groups: str = Field(default="groups", description="the claim that holds a person's groups")
    oidc_roles: str = Field(
        default="", description="which group has which role, `group=role` separated by commas; the first that fits"
    )
    dashboard_url: str | None = Field(
        default=None, description="where browsers find the dashboard; this machine's address when not set"
    )
    alert_destinations: SecretStr | None = Field(
        default=None, description="where alerts are sent: `name=address` separated by spaces, addresses as Apprise has"
    )
    heartbeat_url: SecretStr | None = Field(
        default=None, description="an address outside that is called once a minute while checks and alerts run"
    )
    control_url: str | None = Field(
        default=None, description="the control API that commands talk to; this machine's when not set"
    )
    token: SecretStr | None = Field(
        default=None, description="the bearer token of commands; keys/admin.token in the home folder when not set"
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().absolute()

    @field_validator("retrain_zone")
    @classmethod
    def _a_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError):
            raise ValueError("no such time zone; an IANA name such as Europe/Berlin is meant") from None
        return zone

    @field_validator(*_OPTIONAL)
    @classmethod
    def _no_empty(cls, value: Any) -> Any:
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        return value if plain else None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # their signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # their signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # their signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  # their signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what ``load`` merged, nothing behind its back: so each value's origin is known."""
        return (init_settings,)

    @property
    def database(self) -> str:
        """The SQLAlchemy URL of control state."""
        return self.database_url.get_secret_value() if self.database_url else f"sqlite:///{self.home / 'fairlead.db'}"

    @property
    def redis(self) -> str | None:
        """The URL of the hot store, or None for the engine's memory."""
        return self.redis_url.get_secret_value() if self.redis_url else None

    @property
    def control(self) -> str:
        """Where commands find the control API."""
        return (self.control_url or f"http://{self.host}:{self.control_port}").rstrip("/")

    @property
    def dashboard(self) -> str:
        """Where browsers find the dashboard."""
        return (self.dashboard_url or f"http://{self.host}:{self.dashboard_port}").rstrip("/")

    @property
    def environ(self) -> dict[str, str]:
        """These settings as environment variables, for a child process that shall see the very same."""
        values = {key: getattr(self, key) for key in type(self).model_fields}
        return {
            PREFIX + key.upper(): value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for key, value in values.items()
            if value is not None
        }

    def engine_url(self, replica: int = 0) -> str:
        """Where replica number ``replica`` answers."""
        return f"http://{self.host}:{self.engine_port + replica}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """Settings, and where each value came from: ``flag``, a variable's name, a file's path, or ``default``."""

    settings: Settings
    origins: Mapping[str, str]

    def shown(self) -> list[dict[str, str]]:
        """Every key with its value as text and its origin; secrets masked."""
        return [
            {
                "key": key,
                "value": _shown(getattr(self.settings, key)),
                "origin": self.origins[key],
                "what": field.description or "",
            }
            for key, field in Settings.model_fields.items()
        ]


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "********"
    return "" if value is None else str(value)


def _unknown(key: str, known: list[str], where: str) -> Problem:
    close = difflib.get_close_matches(key.lower(), [name.lower() for name in known], n=1, cutoff=0.6)
    hint = next((name for name in known if close and name.lower() == close[0]), None)
    advice = f"did you mean {hint}?" if hint else "`fairlead config show` lists the keys"
    return Problem(field=key, message=f"unknown key in {where}; {advice}")


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}".replace("-", "_")
        flat.update(_flat(value, f"{name}_") if isinstance(value, Mapping) else {name: value})
    return flat


def _from_file(path: Path) -> dict[str, tuple[Any, str]]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"{path} cannot be read: {error}; mend it or move it away") from None
    return {key: (value, str(path)) for key, value in _flat(table).items()}


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    for name, value in environ.items():
        if not name.startswith(PREFIX) or name.removeprefix(PREFIX).startswith(FOREIGN):
            continue
        key = name.removeprefix(PREFIX).lower()
        if key not in Settings.model_fields and key.removesuffix("_file") in Settings.model_fields:
            key = key.removesuffix("_file")
            try:
                value = Path(value).read_text("utf-8").strip()  # noqa: PLW2901  # the file's text stands for its name
            except OSError as error:
                raise Invalid(f"{name} names a file that cannot be read: {error.strerror}") from None
        found[key] = (value, name)
    return found


def _problems(error: ValidationError, origins: Mapping[str, str]) -> tuple[Problem, ...]:
    return tuple(
        Problem(field=key, message=f"{item['msg']} (from {origins.get(key, 'default')})")
        for item in error.errors(include_url=False, include_context=False, include_input=False)
        for key in (".".join(str(part) for part in item["loc"]) or "settings",)
    )


def load(
    flags: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Loaded:
    """Merge every source of settings.

    Parameters
    ----------
    flags
        What the command line said; None values are absent.
    environ
        The environment; the process's own by default.
    folder
        Where ``fairlead.toml`` is looked for; the current folder by default.

    Raises
    ------
    Invalid
        Naming every unknown key, with a suggestion, and every value that cannot be used.
    """
    environ = os.environ if environ is None else environ
    configured = Path(environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".config")
    layers = (
        _from_file(configured / "fairlead" / "config.toml"),
        _from_file((folder or Path.cwd()) / "fairlead.toml"),
        _from_environment(environ),
        {key: (value, "flag") for key, value in (flags or {}).items() if value is not None},
    )
    merged: dict[str, tuple[Any, str]] = {}
    for layer in layers:
        merged.update(layer)
    known = list(Settings.model_fields)
    variables = [PREFIX + key.upper() for key in known]
    problems = tuple(
        _unknown(where, variables, "the environment") if where.startswith(PREFIX) else _unknown(key, known, where)
        for key, (_, where) in merged.items()
        if key not in Settings.model_fields
    )
    if problems:
        raise Invalid("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems=problems)
    origins = {key: merged[key][1] if key in merged else "default" for key in known}
    try:
        settings = Settings(**{key: value for key, (value, _) in merged.items()})
    except ValidationError as error:
        problems = _problems(error, origins)
        raise Invalid(
            "; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems=problems
        ) from None
    return Loaded(settings=settings, origins=origins)
