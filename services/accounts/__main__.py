"""`python -m services.accounts`: accounts made and unlocked from the command line."""

import sys

from services.accounts.profile import main

if __name__ == "__main__":
    sys.exit(main())
