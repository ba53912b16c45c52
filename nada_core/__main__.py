"""Run the command line: ``python -m nada_core``."""

import sys

from nada_core.system.threads import wait_politely

if __name__ == "__main__":
    wait_politely()  # before torch is loaded
    from nada_core.cli.main import main

    sys.exit(main())
