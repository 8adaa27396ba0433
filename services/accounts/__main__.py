"""`python -m services.accounts`: accounts made and unlocked from the command line."""

import sys

from services.entrypoints.account_commands import main

if __name__ == "__main__":
    sys.exit(main())
