# SPDX-License-Identifier: Apache-2.0
"""A real city in a process of its own, for tests that ask it over HTTP."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from citybrain.kernel.settings import load_settings

READY_WITHIN_S = 120.0


class RunningCity(msgspec.Struct, kw_only=True):
    """Where it listens, the operator's password if this was the first start, and its process."""

    url: str
    password: str | None
    process: subprocess.Popen[str]
    log: Path

    def get(self, path: str, **params: Any) -> Any:
        """The JSON at a path; the answer must be 200."""
        answer = httpx.get(f"{self.url}{path}", params=params, timeout=30)
        assert answer.status_code == 200, f"{answer.text}\n{self.log.read_text()[-3000:]}"
        return answer.json()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> int:
        """End it as a person would; answers with its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(
    folder: Path,
    *,
    scenario: str = "cologne1",
    speed: str = "max",
    port: int | None = None,
    code: Path | None = None,
    variables: Mapping[str, str] | None = None,
) -> RunningCity:
    """Start a city on a data folder and wait until it answers with a first step; `code` is another tree to run.

    Of what is set around the tests only the folder of built screens is handed on; `variables` are further settings.
    """
    port = port or free_port()
    folder.parent.chmod(0o755)
    log = folder.with_suffix(f".{port}.log")
    environ = {"PATH": os.defpath, "CITYBRAIN_DATA": str(folder), "CITYBRAIN_LANG": "en", "COLUMNS": "200"}
    pages = load_settings().pages
    environ |= {**({"CITYBRAIN_PAGES": str(pages)} if pages else {}), **(variables or {})}
    command = [sys.executable, "-m", "citybrain", "up", "--scenario", scenario, "--speed", speed, "--port", str(port)]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env=environ, text=True, cwd=code)
    url = f"http://127.0.0.1:{port}"
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until and process.poll() is None:
        if _has_stepped(url):
            found = re.search(r"password (\S+)", log.read_text())
            return RunningCity(url=url, password=found[1] if found else None, process=process, log=log)
        time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the city did not start:\n{log.read_text()}")


@contextmanager
def running(folder: Path, **options: Any) -> Iterator[RunningCity]:
    """A city that is stopped at the end, whatever happens."""
    city = start(folder, **options)
    try:
        yield city
    finally:
        city.stop()


def eventually(seen: Callable[[], Any], *, within_s: float = 30.0) -> Any:
    """What was asked for, once it is there."""
    until = time.monotonic() + within_s
    while time.monotonic() < until:
        if found := seen():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


def citybrain(*words: str, data: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a person would."""
    environ = {"CITYBRAIN_DATA": str(data), "CITYBRAIN_LANG": "en", "PATH": os.defpath, "COLUMNS": "300", **variables}
    command = [sys.executable, "-m", "citybrain", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=300, check=False)


def _has_stepped(url: str) -> bool:
    try:
        told = httpx.get(f"{url}/api/status", timeout=5).json()
    except (httpx.HTTPError, ValueError):
        return False
    return told.get("city_time") is not None or (told.get("scenario") == "none" and told["condition"] == "running")
