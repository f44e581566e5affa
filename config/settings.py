"""Django's settings, all from the environment (config/env.py); one file for every deployment."""

import warnings
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.urls import reverse_lazy
from kombu import Queue

from bot.admin_menu import UNFOLD  # noqa: F401  how the admin looks
from config import (
    celery,  # noqa: F401  whoever sends jobs needs the queue's app
    connections,
    embedded,
    env,
    logs,
)

ENV = env.read()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR = ENV.FRONTDESK_VAR.resolve()

DEBUG = ENV.DEBUG
SECRET_KEY = ENV.SECRET_KEY
DATA_KEYS = ENV.DATA_KEYS
ALLOWED_HOSTS = ENV.ALLOWED_HOSTS
PUBLIC_URL = ENV.PUBLIC_URL.rstrip("/")
TRUSTED_PROXIES = ENV.TRUSTED_PROXIES
METRICS_TOKEN = ENV.METRICS_TOKEN

# Where the data is: the given addresses, else the private servers that run under var/.
_running = embedded.running_urls(VAR)
DATABASE_URL = ENV.DATABASE_URL or (_running.database if _running else "")
REDIS_URL = ENV.REDIS_URL or (_running.redis if _running else "")
DATABASES = {"default": connections.database(DATABASE_URL, ENV.DATABASE_POOL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What the bot works with.
OPENAI_API_KEY = ENV.OPENAI_API_KEY
OPENAI_BASE_URL = ENV.OPENAI_BASE_URL
OPENAI_MODELS = ENV.OPENAI_MODELS
OFFLINE_MODEL = ENV.OFFLINE_MODEL
FRONTDESK_TOOLS = ENV.FRONTDESK_TOOLS
ANSWER_WITHOUT_MODEL = ENV.ANSWER_WITHOUT_MODEL
TURN_DEADLINE = ENV.TURN_DEADLINE
FIRST_TOKEN_DEADLINE = ENV.FIRST_TOKEN_DEADLINE
SILENCE_DEADLINE = ENV.SILENCE_DEADLINE
TURN_TOKENS = ENV.TURN_TOKENS
TURN_COST = ENV.TURN_COST
SCRUBBERS = ENV.SCRUBBERS
PLACE_AFTER = ENV.PLACE_AFTER
DEFER_AFTER = ENV.DEFER_AFTER
ANONYMOUS_PER_ADDRESS = ENV.ANONYMOUS_PER_ADDRESS
SITE_MESSAGES_PER_MINUTE = ENV.SITE_MESSAGES_PER_MINUTE
MESSAGE_MAX_CHARS = ENV.MESSAGE_MAX_CHARS
DEMO = ENV.FRONTDESK_DEMO
DEMO_PASSWORD = ENV.DEMO_PASSWORD
DEMO_IDENTITY_SECRET = ENV.DEMO_IDENTITY_SECRET

INSTALLED_APPS = [
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "accounts",
    "bot",
    *(["demo"] if DEMO else []),
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
STATIC_URL = "/static/"
STATIC_ROOT = None if DEBUG else BASE_DIR / "static-root"
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = False
# Static files are read whole before they are sent: they are small, and the warning is one line for each.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

# Who signs in, and how.
AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = reverse_lazy("desk:sign-in")
LOGIN_REDIRECT_URL = reverse_lazy("desk:inbox")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
SESSION_COOKIE_NAME = "frontdesk_session"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "frontdesk_csrf"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
if not DEBUG:
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
CONTENT_SECURITY_POLICY = {
    # unfold's admin needs Alpine's evaluation and inline styles; every page of ours narrows this further.
    "EXCLUDE_URL_PREFIXES": ["/admin/"],
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, PUBLIC_URL],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF, PUBLIC_URL.replace("http", "ws", 1)],
        "frame-src": [SELF, PUBLIC_URL],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_FROM_EMAIL = f"frontdesk@{urlsplit(PUBLIC_URL).hostname}"
LOGGING = logs.configure(debug=DEBUG)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
for _name, _value in connections.email(ENV.EMAIL_URL).items():
    globals()[_name] = _value

# The worker. Deadlines, stopping and retries are the turn's own: the queue only says "look at this id".
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 10,
    "socket_connect_timeout": 3,
    "health_check_interval": 15,
    "visibility_timeout": 3600,
}
# Tickets for turns never stand behind other work: the worker asks both queues in turn.
CELERY_TASK_QUEUES = [Queue("turns"), Queue("chores")]
CELERY_TASK_DEFAULT_QUEUE = "chores"
CELERY_TASK_ROUTES = {"bot.tasks.answer_next": {"queue": "turns"}}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_TIMEZONE = "UTC"
