"""What every exercise of the lab shares: records, input pipeline, flags, session loops, metrics, summaries."""

import logging
import os

# TensorFlow logs pages about devices and deprecations; the lab prints one line on the device instead (lvseg.device).
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
logging.getLogger('tensorflow').setLevel(logging.ERROR)
