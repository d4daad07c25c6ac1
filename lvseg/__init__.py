"""What every exercise of the lab shares: records, input pipeline, flags, session loops, metrics, summaries."""

from lvseg import versions

versions.prepare()
