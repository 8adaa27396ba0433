"""`python -m services.portal`: the whole portal. See services/entrypoints/launcher.py."""

import sys

from services.entrypoints.launcher import main

if __name__ == "__main__":
    sys.exit(main())
