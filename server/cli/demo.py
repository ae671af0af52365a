"""`kaibiao demo`: headless (`--auto`) or the live hall of `make run`."""

import asyncio
import json as jsonlib
import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import Any

from crypto.errors import Rejected

TERMINATED = 128 + signal.SIGTERM  # as a shell says it


def run_auto(bidders: int, out: Path, *, as_json: bool) -> None:
    import uvloop

    from server.demo.auto import AutoPlan, play

    # Whoever plays is forked from one process that has imported everything: before the tender's
    # clock runs, or on a busy machine its deadline passes over people who are still starting.
    first = multiprocessing.get_context("forkserver").Process(target=os.getpid)
    first.start()
    first.join()
    try:
        summary: dict[str, Any] = uvloop.run(play(AutoPlan(bidders=bidders, out=out)))
    except (RuntimeError, TimeoutError) as error:  # somebody's process failed, or nothing moved on
        raise Rejected("demo.failed", str(error)) from error
    if as_json:
        print(jsonlib.dumps(summary, ensure_ascii=False))
    else:
        for stage, ms in summary["stages"].items():
            print(f"{ms / 1000:8.2f} s  {stage}")
        print(f"states   {summary['states']}")
        print(f"bundle   {summary['bundle']} ({summary['bundle_bytes']:,} bytes)")
        print(f"verdict  {summary['verdict']}, {summary['total_ms'] / 1000:.1f} s in all")
    if summary["verdict"] != "agree" or sum(summary["states"].values()) != bidders:
        sys.exit(1)


def run_live(port: int, bidders: int, *, fresh: bool) -> None:
    import uvloop

    from server.demo.live import run

    try:
        uvloop.run(run(port, bidders, fresh=fresh))
    except asyncio.CancelledError:
        sys.exit(TERMINATED)
