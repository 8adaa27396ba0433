"""The results of a benchmark: a table for people, a file for programs."""

import json
import math
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from db.connections import engine

FOLDER = Path(__file__).parent / "results"
Row = dict[
    str, Any
]  # Any: figures and words by the heading of their column, which differ from table to table


def milliseconds(action: Callable[[], object]) -> float:
    """The time that the action takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1000


def p95(values: Sequence[float]) -> float:
    """The 95th percentile, as one of the values."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def yes(met: bool) -> str:
    """The word that says whether a target is met."""
    return "yes" if met else "no"


def table(title: str, rows: Sequence[Row]) -> None:
    """Print a Markdown table; fractions have two decimals, from 1,000 on none."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    print(f"\n{title}\n\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(_cell(row.get(name)) for name in names)} |", flush=True)


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return "–" if value is None else str(value)


def machine() -> Row:
    """The facts about the machine that the figures depend on."""
    with engine.owner_engine().connect() as connection:
        server = connection.execute(text("SHOW server_version")).scalar_one()
    return {"cores": os.cpu_count(), "postgresql": server}


def save(name: str, orders: int, rows: Sequence[Row], folder: Path = FOLDER) -> None:
    """Write `<name>.json` with the rows, the time, the number of orders and the machine."""
    folder.mkdir(exist_ok=True)
    at = datetime.now(UTC).isoformat(timespec="seconds")
    result = {"at": at, "orders": orders, **machine(), "rows": list(rows)}
    (folder / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
