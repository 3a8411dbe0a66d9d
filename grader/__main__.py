"""python -m grader COMMAND"""

import sys

from .cli import main

sys.exit(main())
