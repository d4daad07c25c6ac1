"""What every exercise of the lab shares: records, input pipeline, flags, session loops, metrics, summaries."""

import sys

from lvseg import project, versions

versions.prepare()
# At a desk away from the lab no __pycache__ comes between the student's files; the lab's own are compiled once for all.
sys.dont_write_bytecode |= project.DESK != project.PROJECT
