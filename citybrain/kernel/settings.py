# SPDX-License-Identifier: Apache-2.0
"""What the operator may set: the only reader of the environment."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from citybrain.kernel.errors import Invalid

LANGUAGES = ("zh", "en")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings with their defaults.

    Without `database_url` PostgreSQL runs in `data`. `speed` is city seconds per second, or `max`.
    `public_may` are permissions that everybody has beside those declared so. `contexts` is a folder of JSON-LD
    contexts that are known without asking their hosts, `address` the scheme, host and port under which others reach
    this city. `keys` is the file with the keys, in `data` unless said; `cipher` the family of algorithms that new
    values are encrypted with. `history_page` is how many instances of an attribute one answer of the temporal API
    holds. `smtp` is the mail server, `sms` the webhook of the message gateway, `oidc` a file of OpenID providers.
    `push` is the webhook for pushes; notices go there and to `sms` signed with `webhook_secret`, or not at all.
    `virus_scan` is `clamd:<socket or host:port>` or `command:<words>`; without it nobody looks for viruses.
    `outside` is a file of simulated signals whose lamps are shown by controllers outside (`citybrain emulate`).
    `incidents` is what goes wrong in a simulated city: how much per hour, or JSON, or the path of a file of it.
    `pages` is a folder of built screens in place of those that come with the package. `outbound` says where the city
    may go when somebody else names the address (see `kernel.outbound`). `cap` is a file of whose signatures on
    warnings are checked, and of the key that the city signs its own with.
    """

    data: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    lang: str = "zh"
    scenario: str = "ingolstadt21"
    speed: str = "10"
    keep_days: int = 30
    history_page: int = 1000
    public_may: tuple[str, ...] = ()
    contexts: Path | None = None
    mqtt: Path | None = None
    gbt20999: Path | None = None
    ntcip: Path | None = None
    cap: Path | None = None
    outside: Path | None = None
    incidents: str | None = None
    address: str | None = None
    smtp: str | None = None
    sms: str | None = None
    oidc: Path | None = None
    push: str | None = None
    webhook_secret: str | None = None
    virus_scan: str | None = None
    keys: Path | None = None
    cipher: str = "aes"
    pages: Path | None = None
    outbound: str | None = None

    @property
    def key_file(self) -> Path:
        """Where the keys of personal data and of seals lie; never in the database."""
        return self.keys or self.data / "keys.json"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """Read `CITYBRAIN_…` variables; an empty one counts as not set. A value that cannot be is refused by its name."""
    given = dict(os.environ if environ is None else environ)

    def said(name: str) -> str | None:
        return given.get(f"CITYBRAIN_{name}") or None

    return Settings(
        data=Path(said("DATA") or _usual_data_folder(given)).expanduser().absolute(),
        database_url=said("DATABASE_URL"),
        host=said("HOST") or "127.0.0.1",
        port=int(_number("PORT", said("PORT"), default=8000, low=0, high=65535)),
        lang=_language(said("LANG"), given),
        scenario=said("SCENARIO") or "ingolstadt21",
        speed=said("SPEED") or "10",
        keep_days=int(_number("KEEP_DAYS", said("KEEP_DAYS"), default=30, low=1, high=36500)),
        history_page=int(_number("HISTORY_PAGE", said("HISTORY_PAGE"), default=1000, low=1, high=1_000_000)),
        public_may=tuple(filter(None, (each.strip() for each in (said("PUBLIC_MAY") or "").split(",")))),
        mqtt=Path(said("MQTT") or "").expanduser().absolute() if said("MQTT") else None,
        gbt20999=Path(said("GBT20999") or "").expanduser().absolute() if said("GBT20999") else None,
        outside=Path(said("OUTSIDE") or "").expanduser().absolute() if said("OUTSIDE") else None,
        incidents=said("INCIDENTS"),
        ntcip=Path(said("NTCIP") or "").expanduser().absolute() if said("NTCIP") else None,
        cap=Path(said("CAP") or "").expanduser().absolute() if said("CAP") else None,
        contexts=Path(said("CONTEXTS") or "").expanduser().absolute() if said("CONTEXTS") else None,
        address=(said("ADDRESS") or "").rstrip("/") or None,
        keys=Path(said("KEYS") or "").expanduser().absolute() if said("KEYS") else None,
        cipher=said("CIPHER") or "aes",
        smtp=said("SMTP"),
        sms=said("SMS"),
        push=said("PUSH"),
        webhook_secret=said("WEBHOOK_SECRET"),
        virus_scan=said("VIRUS_SCAN"),
        outbound=said("OUTBOUND"),
        pages=Path(said("PAGES") or "").expanduser().absolute() if said("PAGES") else None,
        oidc=Path(said("OIDC") or "").expanduser().absolute() if said("OIDC") else None,
    )


def _usual_data_folder(environ: Mapping[str, str]) -> str:
    """The XDG data folder; for root /var/lib, as PostgreSQL leaves root and root's home is closed to it."""
    if environ.get("XDG_DATA_HOME"):
        return f"{environ['XDG_DATA_HOME']}/citybrain"
    return "/var/lib/citybrain" if os.geteuid() == 0 else "~/.local/share/citybrain"


def _language(said: str | None, environ: Mapping[str, str]) -> str:
    if said is None:
        return "en" if environ.get("LC_ALL", environ.get("LANG", "")).startswith("en") else "zh"
    if said not in LANGUAGES:
        raise Invalid("kernel.setting_unusable", {"name": "CITYBRAIN_LANG", "value": said})
    return said


def _number(name: str, said: str | None, *, default: float, low: float, high: float) -> float:
    if said is None:
        return default
    try:
        number = float(said)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise Invalid("kernel.setting_unusable", {"name": f"CITYBRAIN_{name}", "value": said})
    return number
