"""How often the tests of chance are repeated: a few times by `make test`, many times by `make test-slow`."""

import os
from typing import Final

# Two people press at the same instant, each pair so many times.
RACE_ROUNDS: Final = int(os.environ.get("RACE_ROUNDS", "40"))
# A mail worker is killed in the middle of its work so many times.
WORKER_KILLS: Final = int(os.environ.get("WORKER_KILLS", "15"))
