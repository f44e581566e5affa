"""What Frontdesk reads from the environment, typed; a wrong value stops the start and names the setting."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.fernet import Fernet
from django.conf import settings
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

MODEL_CLASSES = ("small", "large", "reasoning")
DEVELOPMENT_SECRET = "development-only-secret-that-production-refuses"  # noqa: S105
# A fixed, public key: fine for a laptop without settings, refused in production.
DEVELOPMENT_DATA_KEY = "ZnJvbnRkZXNrLWRldmVsb3BtZW50LW9ubHkta2V5LTA="


class BadSettings(SystemExit):
    """Stops the start with one sentence for each setting that is wrong."""


def _words(value: Any) -> Any:
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def _models(value: Any) -> Any:
    """`small=gpt-4o-mini,large=gpt-4o` → {"small": "gpt-4o-mini", "large": "gpt-4o"}."""
    if not isinstance(value, str):
        return value
    pairs = dict(pair.split("=", 1) if "=" in pair else (pair, "") for pair in _words(value))
    for model_class, name in pairs.items():
        if model_class not in MODEL_CLASSES or not name:
            raise ValueError(f"write it as small=NAME,large=NAME,reasoning=NAME (got {value!r})")
    return pairs


Words = Annotated[list[str], NoDecode, BeforeValidator(_words)]
Models = Annotated[dict[str, str], NoDecode, BeforeValidator(_models)]


class Env(BaseSettings):
    model_config = SettingsConfigDict(extra="ignore", str_strip_whitespace=True, env_ignore_empty=True)

    DEBUG: bool = False
    SECRET_KEY: str = DEVELOPMENT_SECRET
    DATA_KEYS: Words = [DEVELOPMENT_DATA_KEY]
    ALLOWED_HOSTS: Words = ["127.0.0.1", "localhost"]
    PUBLIC_URL: str = "http://127.0.0.1:8000"
    EMAIL_URL: str = "console://"
    TRUSTED_PROXIES: int = Field(default=0, ge=0, le=10)
    METRICS_TOKEN: str = ""
    FRONTDESK_VAR: Path = Path("var")
    DATABASE_URL: str = ""
    REDIS_URL: str = ""
    DATABASE_POOL: int = Field(default=16, ge=2, le=200)

    OPENAI_API_KEY: str = ""
    OPENAI_BASE_URL: str = "https://api.openai.com/v1"
    OPENAI_MODELS: Models = {"small": "gpt-4o-mini", "large": "gpt-4o", "reasoning": "o4-mini"}
    OFFLINE_MODEL: bool = False

    FRONTDESK_TOOLS: Words = []
    FRONTDESK_DEMO: bool = False
    DEMO_PASSWORD: str = ""
    DEMO_IDENTITY_SECRET: str = ""

    TURN_DEADLINE: float = Field(default=90, gt=0)
    FIRST_TOKEN_DEADLINE: float = Field(default=8, gt=0)
    SILENCE_DEADLINE: float = Field(default=15, gt=0)
    TURN_TOKENS: int = Field(default=60_000, ge=1000)
    TURN_COST: Decimal = Field(default=Decimal("0.50"), gt=0)
    SCRUBBERS: int = Field(default=1, ge=1, le=16)
    PLACE_AFTER: float = Field(default=4, gt=0)
    DEFER_AFTER: float = Field(default=30, gt=0)
    ANONYMOUS_PER_ADDRESS: Decimal = Field(default=Decimal(50), ge=0)
    SITE_MESSAGES_PER_MINUTE: int = Field(default=12_000, ge=1)
    ANSWER_WITHOUT_MODEL: Literal["always", "degraded"] = "always"
    # What the scrubber reads by one call, or the message would never be masked.
    MESSAGE_MAX_CHARS: int = Field(default=4000, ge=1, le=12_800)

    @model_validator(mode="after")
    def refuse_unsafe(self) -> "Env":
        problems = [*self._bad_keys(), *self._unsafe_in_production()]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _bad_keys(self) -> list[str]:
        for key in self.DATA_KEYS:
            try:
                Fernet(key)
            except ValueError:
                return ["DATA_KEYS must be Fernet keys, newest first, separated by commas"]
        return [] if self.DATA_KEYS else ["DATA_KEYS must hold at least one Fernet key"]

    def _unsafe_in_production(self) -> list[str]:
        if self.DEBUG:
            return []
        refused = {
            "SECRET_KEY is missing or the development default: set a long random value": (
                self.SECRET_KEY == DEVELOPMENT_SECRET or len(self.SECRET_KEY) < 32
            ),
            "DATA_KEYS is missing or the development default: set it to a new Fernet key": (
                DEVELOPMENT_DATA_KEY in self.DATA_KEYS
            ),
            "PUBLIC_URL must be the https address of this deployment": (
                not self.PUBLIC_URL.startswith("https://")
            ),
            "ALLOWED_HOSTS is missing: name the hosts of this deployment": (
                "ALLOWED_HOSTS" not in self.model_fields_set
            ),
            "ALLOWED_HOSTS must name the hosts of this deployment, never *": "*" in self.ALLOWED_HOSTS,
        }
        return [sentence for sentence, wrong in refused.items() if wrong]


def read() -> Env:
    """The environment, checked; stops the start with a sentence for each wrong setting."""
    try:
        return Env()
    except ValidationError as error:
        sentences = [_sentence(dict(problem)) for problem in error.errors()]
        raise BadSettings(
            "Frontdesk cannot start:\n" + "\n".join(f"  - {line}" for line in sentences)
        ) from None


def require_servers() -> None:
    """Stop a process that would serve without its servers, with a sentence for each one missing."""
    missing = [name for name in ("DATABASE_URL", "REDIS_URL") if not getattr(settings, name)]
    if missing:
        lines = [f"  - {name} is missing: set it, or start everything with `make run`" for name in missing]
        raise BadSettings("Frontdesk cannot start:\n" + "\n".join(lines))


def _sentence(problem: dict[str, Any]) -> str:
    name = ".".join(str(part) for part in problem["loc"])
    text = str(problem["msg"]).removeprefix("Value error, ")
    return f"{name}: {text}" if name else text
