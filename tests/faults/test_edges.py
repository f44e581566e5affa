"""Midnight, the scrubber, full disks: what else can be in the way."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import redis

from tests.faults.oracle import Staged
from tests.faults.play import QUESTION, Play, all_answered, streaming
from tests.faults.stage import Stage

EMAIL, PHONE = "victoria.plum@example.org", "212-555-0187"
PRIVATE = f"Please write to {EMAIL} or call {PHONE}."
ASKED = "Is it warm?"
MIDNIGHT = """UPDATE accounts_window SET number = number - 86400, starts_at = starts_at - interval '1 day',
 ends_at = ends_at - interval '1 day' WHERE held > 0"""
NOT_SCRUBBED = "SELECT id FROM bot_message WHERE masked IS NULL"


async def test_turn_is_counted_on_the_day_that_it_began_when_midnight_passes(play: Play) -> None:
    stage = play.stage
    gate = stage.hold_next(3)
    async with play.tab() as tab:
        said = await tab.say(QUESTION)
        await tab.text(said)
        # Midnight: what is today's window becomes yesterday's.
        stage.execute(MIDNIGHT)
        gate.set()
        turn = await tab.reply(said)
        assert [limit["used"] for limit in turn.finals[0]["allowance"]["limits"]] == [0]
        await tab.reply(await tab.say("And the green one?"))
        found = await play.judge()
    assert [int(window["settled"]) for window in found.windows] == [1, 1]


def detectors(stage: Stage) -> Iterator[psutil.Process]:
    for worker in stage.workers:
        yield from psutil.Process(worker.pid).children(recursive=True)


@pytest.mark.thorough
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGSTOP], ids=["dead", "stuck"])
async def test_nothing_goes_to_a_model_while_the_scrubber_is_down(play: Play, blow: signal.Signals) -> None:
    stage = play.stage
    async with play.tab() as tab:
        ended = asyncio.Event()

        async def keep_down() -> None:
            while not ended.is_set():
                for process in await asyncio.to_thread(lambda: list(detectors(stage))):
                    process.send_signal(blow)
                await asyncio.sleep(0.05)

        down = asyncio.create_task(keep_down())
        turn = await tab.reply(await tab.say(PRIVATE))
        assert turn.finals[0]["state"] == "degraded"
        assert not stage.upstream.completions
        ended.set()
        await down
        for process in detectors(stage):
            process.send_signal(signal.SIGCONT)
        await stage.sees(lambda: not stage.rows(NOT_SCRUBBED), 90)
        said = await tab.say(ASKED)
        await tab.reply(said)
        await play.judge()
    nothing_private_in(stage)


async def test_nothing_private_reaches_the_model_or_redis(play: Play) -> None:
    stage = play.stage
    gate = stage.hold_next(12, "I will write to <EMAIL_1> and call <PHONE_1>, as you wish, before noon.")
    async with play.tab() as tab:
        said = await tab.say(PRIVATE)
        await tab.text(said)
        nothing_private_in(stage)
        gate.set()
        turn = await tab.reply(said)
        assert turn.text == f"I will write to {EMAIL} and call {PHONE}, as you wish, before noon."
        nothing_private_in(stage)
        await play.judge(
            Staged(values={"<EMAIL_1>": "victoria.plum@example.org", "<PHONE_1>": "212-555-0187"})
        )


def nothing_private_in(stage: Stage) -> None:
    everything = [request.text for request in stage.upstream.completions]
    everything += [process.log.read_text() for process in stage.processes]
    with stage.redis.client() as client:
        everything += [_content(client, key) for key in client.keys("*")]
    for text in everything:
        assert EMAIL not in text
        assert PHONE not in text


def _content(client: redis.Redis, key: bytes) -> str:
    """The key and all that it holds."""
    kind = client.type(key).decode()
    read = {
        "string": lambda: client.get(key),
        "list": lambda: client.lrange(key, 0, -1),
        "hash": lambda: client.hgetall(key),
        "set": lambda: client.smembers(key),
        "zset": lambda: client.zrange(key, 0, -1),
        "stream": lambda: client.xrange(key),
        "none": lambda: None,
    }
    return f"{key!r} {read[kind]()!r}"


@pytest.fixture
def small_disk(stage: Stage) -> Iterator[Path]:
    """Messages are kept on a disk of their own, of 4 MB."""
    folder = stage.var / "small"
    folder.mkdir(exist_ok=True)
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("a small disk takes the right to mount one")
    data = (stage.var / "postgres").stat()
    os.chown(folder, data.st_uid, data.st_gid)
    stage.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
    stage.execute("ALTER TABLE bot_message SET TABLESPACE small")
    yield folder
    stage.execute("ALTER TABLE bot_message SET TABLESPACE pg_default")
    stage.execute("DROP TABLESPACE small")
    subprocess.run(["/bin/umount", folder], check=True)


@pytest.mark.thorough
async def test_messages_and_replies_are_kept_once_a_full_disk_has_room(play: Play, small_disk: Path) -> None:
    stage, filler = play.stage, small_disk / "filler"
    async with streaming(play, 4) as talks:
        fill(filler)
        tab = talks[0][0]
        later = await tab.say("And the green one? " * 200)  # more than there is room for between the rows
        await stage.sees(lambda: "No space left on device" in (stage.var / "postgres.log").read_text())
        await asyncio.sleep(5)  # the outage
        assert not later.accepted
        filler.unlink()
        await all_answered([*talks, (tab, later)])
        await play.judge(Staged(seconds=30))


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


@pytest.mark.thorough
async def test_streams_survive_when_redis_cannot_save(play: Play) -> None:
    """Its disk is full, and it refuses to write before it can save again."""
    stage = play.stage
    saved = stage.var / "redis" / "dump.rdb"
    async with streaming(play) as talks:
        with stage.redis.client() as client:
            client.config_set("stop-writes-on-bgsave-error", "yes")
            saved.unlink(missing_ok=True)
            saved.mkdir()  # where nothing can be saved
            client.bgsave()
            await stage.sees(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")
            await asyncio.sleep(3)  # the outage
            saved.rmdir()
            client.bgsave()
        await all_answered(talks)
        await play.judge(Staged(seconds=10))
