"""The network's left ventricle in every image of a stack, in the images' own geometry."""

import numpy as np
from lvseg import progress
from lvseg.prediction import Trained

from data_prep import dicom, fitting
from data_prep.slices import naming, read_bytes

from study.stack import Stack
