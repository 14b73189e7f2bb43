"""All settings, read from the environment (`.env.example` lists each variable).

`ENVIRONMENT` is production unless said otherwise, and production does not start with a missing secret. In development
and test, keys are made once and kept in `DATA_DIR` (readable by the owner alone).
"""

import os
from collections.abc import Callable
from pathlib import Path

import environ
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

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

SITE_URL = env.str("SITE_URL", "http://localhost:8000")
VERSION = "0.1"

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "csp",
    "django_rq",
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

DATABASES = {"default": env.db_url("DATABASE_URL", f"sqlite:///{DATA_DIR / 'hookline.sqlite3'}")}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
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
    _database.setdefault("OPTIONS", {}).setdefault(
        "options", "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=20000 -c jit=off"
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
RESPONSE_BYTES_KEPT = 64 * 1024
LOG_DAYS_KEPT = env.int("LOG_DAYS_KEPT", 30)

# What one message's Liquid may use: passes through loops, and seconds of computing (waiting for answers is free).
LIQUID_ITERATIONS = env.int("LIQUID_ITERATIONS", 10_000)
LIQUID_SECONDS = env.float("LIQUID_SECONDS", 0.2)

# --- audience ---------------------------------------------------------------------------------------------------------

SESSION_EVENT = env.str("SESSION_EVENT", "session_start")
EVENT_REPEAT_MINUTES = env.int("EVENT_REPEAT_MINUTES", 10)
IMPORT_DAYS_KEPT = env.int("IMPORT_DAYS_KEPT", 30)
CURRENCY = env.str("CURRENCY", "USD")

# --- security --------------------------------------------------------------------------------------------------------

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
LOGIN_REDIRECT_URL = "admin:index"
METRICS_TOKEN = env.str("METRICS_TOKEN", "")  # who may read /metrics; empty: this machine alone
SESSION_COOKIE_HTTPONLY = True
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
if PRODUCTION and env.bool("HTTPS", True):
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", True)
    SECURE_REDIRECT_EXEMPT = [r"^health/", r"^metrics$"]  # asked from inside, without TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", False) else None
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True

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

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
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
WHITENOISE_USE_FINDERS = ENVIRONMENT == "test"
MEDIA_ROOT = DATA_DIR / "media"

# --- logging ---------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {"rq.worker": {"level": "WARNING"}, "rq.cron": {"level": "WARNING"}},
}

# --- the admin -------------------------------------------------------------------------------------------------------

UNFOLD = {
    "SITE_TITLE": "Hookline",
    "SITE_HEADER": "Hookline",
    "SITE_SUBHEADER": _("Webhook campaigns and journeys"),
    "SITE_SYMBOL": "phishing",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [lambda request: static("hookline.css")],
    "SIDEBAR": {
        "show_search": True,
        "navigation": [
            {
                "items": [
                    {"title": _("Home"), "icon": "home", "link": reverse_lazy("admin:index")},
                    {
                        "title": _("Campaigns"),
                        "icon": "campaign",
                        "link": reverse_lazy("admin:campaigns_campaign_changelist"),
                    },
                    {"title": _("Canvas"), "icon": "route", "link": reverse_lazy("admin:canvas_canvas_changelist")},
                    {
                        "title": _("Profiles"),
                        "icon": "group",
                        "link": reverse_lazy("admin:audience_profile_changelist"),
                    },
                    {
                        "title": _("Segments"),
                        "icon": "filter_alt",
                        "link": reverse_lazy("admin:audience_segment_changelist"),
                    },
                    {"title": _("Imports"), "icon": "upload", "link": reverse_lazy("admin:audience_import_changelist")},
                    {
                        "title": _("Webhook templates"),
                        "icon": "webhook",
                        "link": reverse_lazy("admin:webhooks_template_changelist"),
                    },
                    {
                        "title": _("Content Blocks"),
                        "icon": "extension",
                        "link": reverse_lazy("admin:webhooks_contentblock_changelist"),
                    },
                    {
                        "title": _("Catalogs"),
                        "icon": "inventory_2",
                        "link": reverse_lazy("admin:webhooks_catalog_changelist"),
                    },
                    {
                        "title": _("Promotion codes"),
                        "icon": "confirmation_number",
                        "link": reverse_lazy("admin:webhooks_promotion_changelist"),
                    },
                    {
                        "title": _("Message Activity Log"),
                        "icon": "receipt_long",
                        "link": reverse_lazy("admin:webhooks_messageactivitylog_changelist"),
                    },
                    {
                        "title": _("Senders"),
                        "icon": "speed",
                        "link": reverse_lazy("admin:webhooks_sender_changelist"),
                    },
                ],
            },
            {
                "title": _("Data and lists"),
                "separator": True,
                "collapsible": True,
                "items": [
                    {
                        "title": _("Custom attributes"),
                        "icon": "data_object",
                        "link": reverse_lazy("admin:audience_attribute_changelist"),
                    },
                    {
                        "title": _("Events and products"),
                        "icon": "bolt",
                        "link": reverse_lazy("admin:audience_eventname_changelist"),
                    },
                    {
                        "title": _("Subscription groups"),
                        "icon": "unsubscribe",
                        "link": reverse_lazy("admin:audience_subscriptiongroup_changelist"),
                    },
                    {
                        "title": _("Suppression lists"),
                        "icon": "block",
                        "link": reverse_lazy("admin:audience_suppressionlist_changelist"),
                    },
                    {
                        "title": _("Global control group"),
                        "icon": "science",
                        "link": reverse_lazy("admin:audience_globalcontrol_changelist"),
                    },
                    {
                        "title": _("Currency rates"),
                        "icon": "payments",
                        "link": reverse_lazy("admin:audience_currencyrate_changelist"),
                    },
                ],
            },
            {
                "title": _("Settings"),
                "separator": True,
                "collapsible": True,
                "items": [
                    {
                        "title": _("Workspace"),
                        "icon": "domain",
                        "link": reverse_lazy("admin:workspace_workspace_changelist"),
                    },
                    {
                        "title": _("Pending events"),
                        "icon": "pending_actions",
                        "link": reverse_lazy("admin:audience_pendingevent_changelist"),
                    },
                    {
                        "title": _("Credentials"),
                        "icon": "key",
                        "link": reverse_lazy("admin:workspace_credential_changelist"),
                    },
                    {"title": _("Teams"), "icon": "groups", "link": reverse_lazy("admin:workspace_team_changelist")},
                    {"title": _("Tags"), "icon": "sell", "link": reverse_lazy("admin:workspace_tag_changelist")},
                    {"title": _("People"), "icon": "badge", "link": reverse_lazy("admin:auth_user_changelist")},
                ],
            },
        ],
    },
}
