"""One way for all unit tests: the same generated cases on every machine, however slow it is."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parents[2]))  # for tests.unit.builders

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")
