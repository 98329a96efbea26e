"""`import tf_keras` in a process that was started by a script which kerasish runs."""

import importlib
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))
importlib.import_module("kerasish.port.aliases").take_over(__name__)
