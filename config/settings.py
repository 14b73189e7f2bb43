"""All settings, read from the environment (`.env.example` lists each variable).

`ENVIRONMENT` is production unless said otherwise, and production does not start with a missing secret. In development
and test, keys are made once and kept in `DATA_DIR` (readable by the owner alone).
"""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config import sqlite

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

ENVIRONMENT = env.str("ENVIRONMENT", "production")
if ENVIRONMENT not in ("production", "development", "test"):
    raise ImproperlyConfigured(f"ENVIRONMENT is {ENVIRONMENT!r}; use production, development or test.")
PRODUCTION = ENVIRONMENT == "production"
DEBUG = env.bool("DEBUG", False)

DATA_DIR = Path(env.str("DATA_DIR", str(BASE_DIR / "data"))).resolve()
DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)


def kept_secret(name: str, make: Callable[[], str]) -> str:
    """The secret in `DATA_DIR/name`, made on first use. Only outside production."""
    path = DATA_DIR / name
    if not path.exists():
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(make())
        try:
            os.link(fresh, path)  # two processes starting at once: the first one's key stays
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text().strip()


SECRET_KEY = env.str("SECRET_KEY", "")
CREDENTIALS_KEYS: list[str] = env.list("CREDENTIALS_KEY", default=[])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
if PRODUCTION:
    for name, value in [
        ("SECRET_KEY", SECRET_KEY),
        ("CREDENTIALS_KEY", CREDENTIALS_KEYS),
        ("ALLOWED_HOSTS", ALLOWED_HOSTS),
    ]:
        if not value:
            raise ImproperlyConfigured(
                f"{name} is not set. Production needs it (see .env.example); "
                "for a trial on this machine set ENVIRONMENT=development."
            )
else:
    SECRET_KEY = SECRET_KEY or kept_secret("secret_key", get_random_secret_key)
    CREDENTIALS_KEYS = CREDENTIALS_KEYS or [kept_secret("credentials_key", lambda: Fernet.generate_key().decode())]
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]", "testserver"]

SITE_URL = env.str("SITE_URL", "http://localhost:8000").rstrip("/")
VERSION = "0.1"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin.apps.SimpleAdminConfig",  # its pages are found by `config.urls`: workers have no use for them
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
    "django_ace",
    "ninja",
    "django_rq",
    "simple_history",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "workspace",
    "audience",
    "webhooks",
    "outreach",
    "campaigns",
    "canvas",
    "api",
    "config",
]

MIDDLEWARE = [
    "config.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "config.pages.kept.KeepTyped",
    "django.contrib.messages.middleware.MessageMiddleware",
    "workspace.access.middleware.AccessMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "axes.middleware.AxesMiddleware",
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"  # widgets of ours live in templates/
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
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
            ],
        },
    },
]

# --- databases, queues -----------------------------------------------------------------------------------------------

_address = env.str("DATABASE_URL", "") or f"sqlite:///{DATA_DIR / 'hookline.sqlite3'}"
if _address.partition(":")[0] not in ("postgres", "postgresql", "sqlite"):
    raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// or sqlite:///; see .env.example.")
DATABASES = {"default": env.db_url_config(_address)}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    sqlite.use_own()
    # IMMEDIATE: a transaction that will write takes the lock when it begins and so never fails half-way with "locked".
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;",
    }
else:
    _database["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", 600)
    _database["CONN_HEALTH_CHECKS"] = True
    # No JIT: compiling a query for 80 ms, which it does where it overrates the cost, is longer than most of ours take.
    # Random pages cost what they do on a solid-state disk, or in memory: the default of 4 is for spinning disks, and
    # makes PostgreSQL read whole tables where a thousand look-ups through an index are faster.
    _database.setdefault("OPTIONS", {}).setdefault(
        "options",
        "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=20000 -c jit=off -c random_page_cost=1.1",
    )
if ENVIRONMENT == "test":
    # a file, so that real worker processes see what a test wrote
    _database["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")} if _database["ENGINE"].endswith("sqlite3") else {}
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

VALKEY_SOCKET = DATA_DIR / "valkey.sock"
REDIS_URL = env.str("REDIS_URL", "")
USES_BUNDLED_VALKEY = not REDIS_URL
REDIS_URL = REDIS_URL or f"unix://{VALKEY_SOCKET}"
_queue = {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer"}
RQ_QUEUES = {name: dict(_queue) for name in ("deliver", "events", "plan", "canvas", "default")}
RQ = {"COMMIT_MODE": "auto"}  # workspace.queues enqueues on commit itself
# What a wake of a queue runs. Workers also run it by themselves when idle, so that a lost wake is only a second late.
QUEUE_JOBS = {
    "deliver": "webhooks.jobs.deliver",
    "events": "audience.jobs.react",
    "plan": "outreach.jobs.plan_due",
    "canvas": "canvas.jobs.move_due",
    "default": "config.jobs.housekeeping",
}
RQ_SHOW_ADMIN_LINK = False

# --- email -----------------------------------------------------------------------------------------------------------

# For example smtp+tls://user:password@mail.example.com:587. Without it messages are printed to the log.
vars().update(env.email_url("EMAIL_URL", "consolemail://"))
EMAIL_TIMEOUT = 10  # seconds
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", "hookline@localhost")

# --- processes of `manage.py run` ------------------------------------------------------------------------------------

WEB_BIND = env.str("WEB_BIND", "127.0.0.1:8000")
WEB_PROCESSES = env.int("WEB_PROCESSES", 2)
DELIVER_WORKERS = env.int("DELIVER_WORKERS", 2)
EVENT_WORKERS = env.int("EVENT_WORKERS", 1)
OTHER_WORKERS = env.int("OTHER_WORKERS", 1)

# --- delivery --------------------------------------------------------------------------------------------------------

DELIVER_WINDOW = env.int("DELIVER_WINDOW", 256)
DELIVER_HOST_WINDOW = env.int("DELIVER_HOST_WINDOW", 64)
# A host is halted for HOST_HALT_SECONDS after more failures than this in a moving minute, or, with at least
# HOST_LEAST_RESULTS answers in it, when this share of them failed.
HOST_FAILURES_PER_MINUTE = env.int("HOST_FAILURES_PER_MINUTE", 3_000)
HOST_FAILURE_SHARE = env.float("HOST_FAILURE_SHARE", 0.9)
HOST_LEAST_RESULTS = env.int("HOST_LEAST_RESULTS", 50)
HOST_HALT_SECONDS = env.float("HOST_HALT_SECONDS", 60.0)
WEBHOOK_TIMEOUT = env.float("WEBHOOK_TIMEOUT", 90.0)
WEBHOOK_CONNECT_TIMEOUT = env.float("WEBHOOK_CONNECT_TIMEOUT", 10.0)
TEST_SEND_TIMEOUT = env.float("TEST_SEND_TIMEOUT", 10.0)
LEASE_SECONDS = env.float("LEASE_SECONDS", 110.0)
RETRY_TIME_SCALE = env.float("RETRY_TIME_SCALE", 1.0)
WEBHOOK_ALLOWED_NETWORKS: list[str] = env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])
WEBHOOK_ALLOWED_PORTS: list[int] = env.list("WEBHOOK_ALLOWED_PORTS", cast=int, default=[])
WEBHOOK_PROXY = env.str("WEBHOOK_PROXY", "")
WEBHOOK_CA_FILE = env.str("WEBHOOK_CA_FILE", "")  # PEM of private authorities to trust besides the usual ones
RESPONSE_BYTES_KEPT = 64 * 1024
LOG_DAYS_KEPT = env.int("LOG_DAYS_KEPT", 30)
MESSAGE_DAYS_KEPT = env.int("MESSAGE_DAYS_KEPT", 400)
if LOG_DAYS_KEPT < 1:
    raise ImproperlyConfigured(f"LOG_DAYS_KEPT is {LOG_DAYS_KEPT}; it must be at least 1.")
if MESSAGE_DAYS_KEPT != 0 and max(30, LOG_DAYS_KEPT) > MESSAGE_DAYS_KEPT:
    raise ImproperlyConfigured(
        f"MESSAGE_DAYS_KEPT is {MESSAGE_DAYS_KEPT}; it must be at least {max(30, LOG_DAYS_KEPT)}, or 0 for ever."
    )

# What one message's Liquid may use: passes through loops, and seconds of computing (waiting for answers is free).
LIQUID_ITERATIONS = env.int("LIQUID_ITERATIONS", 10_000)
LIQUID_SECONDS = env.float("LIQUID_SECONDS", 0.2)

# --- audience ---------------------------------------------------------------------------------------------------------

SESSION_EVENT = env.str("SESSION_EVENT", "session_start")
EVENT_REPEAT_MINUTES = env.int("EVENT_REPEAT_MINUTES", 10)
IMPORT_DAYS_KEPT = env.int("IMPORT_DAYS_KEPT", 30)
CURRENCY = env.str("CURRENCY", "USD")

# --- the REST API -----------------------------------------------------------------------------------------------------

API_RATE_LIMITS_ON = env.bool("API_RATE_LIMITS", True)
# Calls and seconds of a window, by what is called.
API_RATE_LIMITS = {
    "users.track": (3_000, 3),
    "users.export.ids": (250, 60),
    "identities": (20_000, 60),
    "external_ids.rename": (1_000, 60),
    "external_ids.remove": (1_000, 60),
    "sends": (250_000, 3_600),
    "broadcasts": (250, 60),
    "sends.id.create": (100, 86_400),
    "campaigns.data_series": (50_000, 60),
    "names": (1_000, 3_600),
    "subscription.status.set": (5_000, 60),
    "catalogs": (50, 60),
    "catalogs.items": (16_000, 60),
    "catalogs.item": (50, 60),
    "other": (250_000, 3_600),
}
for _limit in env.list("API_LIMITS", default=[]):
    _bucket, _equals, _window = _limit.partition("=")
    _calls, _slash, _seconds = _window.partition("/")
    if _bucket not in API_RATE_LIMITS or not _calls.isdigit() or not _seconds.isdigit() or int(_seconds) < 1:
        raise ImproperlyConfigured(f"API_LIMITS has {_limit!r}; write for example users.track=3000/3 (calls/seconds).")
    API_RATE_LIMITS[_bucket] = (int(_calls), int(_seconds))
# A webhook of ours that calls this API about the same thing more often than this in a minute sets nothing off any more.
API_LOOP_CALLS = env.int("API_LOOP_CALLS", 10)
# The addresses that webhooks leave from, to be told to receivers with a firewall; found out by nobody but you.
WEBHOOK_SOURCE_ADDRESSES: list[str] = env.list("WEBHOOK_SOURCE_ADDRESSES", default=[])

# --- events out -------------------------------------------------------------------------------------------------------

# What became of messages, told as JSON lines to a file, to an address, or kept for the export of a day.
EVENTS_OUT_FILE = env.str("EVENTS_OUT_FILE", "")
EVENTS_OUT_URL = env.str("EVENTS_OUT_URL", "")
EVENTS_OUT_TOKEN = env.str("EVENTS_OUT_TOKEN", "")
EVENTS_OUT_DAYS = env.int("EVENTS_OUT_DAYS", 0)

# --- security --------------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGIN_REDIRECT_URL = "admin:index"
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # who may read /metrics; empty: this machine alone
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
BEHIND_PROXY = env.bool("BEHIND_PROXY", False)
if PRODUCTION and env.bool("HTTPS", True):
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_PROXY else None
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

SESSION_ENGINE = "workspace.access.sessions"  # Django's, with whose each session is
SESSION_COOKIE_AGE = env.int("SESSION_HOURS", 24) * 3600  # since it was last used
SESSION_COOKIE_HTTPONLY = True
SECOND_FACTOR_REQUIRED = env.bool("SECOND_FACTOR_REQUIRED", False)
OTP_TOTP_ISSUER = "Hookline"

AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
# Name and address together: wrong passwords lock out one name from one place, never everybody behind one proxy or
# office, and nobody can lock a colleague out from elsewhere.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = env.int("SIGN_IN_ATTEMPTS", 10)
AXES_COOLOFF_TIME = timedelta(minutes=env.int("SIGN_IN_WAIT_MINUTES", 15))
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "workspace.access.address.client_address"
AXES_LOCKOUT_CALLABLE = "workspace.access.throttle.locked"
SIGN_IN_DAYS_KEPT = env.int("SIGN_IN_DAYS_KEPT", 365)
AXES_ENABLE_ACCESS_FAILURE_LOG = True  # the audit trail shows it
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "csrfmiddlewaretoken"]
AXES_ENABLE_ADMIN = AXES_VERBOSE = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # unfold's pages bind with Alpine, which evaluates the strings of its attributes: hence 'unsafe-eval'.
        "script-src": ["'self'", "'unsafe-eval'"],
        # unfold and Alpine write style attributes (x-show, colours of the theme).
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

_rules = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_rules}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_rules}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},  # length beats odd characters
    {"NAME": f"{_rules}.CommonPasswordValidator"},
    {"NAME": f"{_rules}.NumericPasswordValidator"},
]

# --- language, time, files -------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("ko", _("Korean"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = (DATA_DIR if ENVIRONMENT == "test" else BASE_DIR) / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
_manifest = "whitenoise.storage.CompressedManifestStaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage" if ENVIRONMENT == "test" else _manifest
    },
}
# In tests files are looked up when asked for: to list them all for each test's client takes longer than most tests do.
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = ENVIRONMENT == "test"
MEDIA_ROOT = DATA_DIR / "media"

# --- logging ---------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    # urllib3 would write whole addresses, with the secrets in them, where LOG_LEVEL is DEBUG.
    "loggers": {name: {"level": "WARNING"} for name in ("axes", "rq.worker", "rq.cron", "urllib3")},
}

# --- the admin -------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Hookline",
    "SITE_HEADER": "Hookline",
    "SITE_SUBHEADER": _("Webhook campaigns and journeys"),
    "SITE_SYMBOL": "phishing",
    "SHOW_HISTORY": True,
    "SHOW_LANGUAGES": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("hookline.css")],
    "ACCOUNT": {"navigation": [{"title": _("Sign-in and security"), "link": reverse_lazy("account")}]},
    "SCRIPTS": [lambda request: static("hookline.js")],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("favicon.svg")}],
    "DASHBOARD_CALLBACK": "config.pages.home.context",
    "SIDEBAR": {"show_search": True, "command_search": True, "navigation": "config.pages.navigation.sidebar"},
    "TABS": "config.pages.navigation.tabs",
    "COMMAND": {"search_callback": "config.pages.palette.search", "show_history": True},
}
