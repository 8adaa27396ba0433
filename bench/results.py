"""What a benchmark found: a table for people, a file for programs."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def p95(values: Sequence[float]) -> float:
    """The 95th percentile, as one of the values."""
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    """Prints a Markdown table; numbers with two decimals."""
    names = list(rows[0])
    print(f"\n{title}\n\n| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(f'{v:,.2f}' if isinstance(v, float) else str(v) for v in row.values())} |")


def save(name: str, orders: int, rows: Sequence[dict[str, Any]]) -> None:
    FOLDER.mkdir(exist_ok=True)
    result = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "orders": orders, "rows": list(rows)}
    (FOLDER / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
