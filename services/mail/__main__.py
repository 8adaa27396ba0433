"""`python -m services.mail`: the mail worker. See services/delivery/worker.py."""

import sys

from services.delivery.worker import main

if __name__ == "__main__":
    sys.exit(main())
