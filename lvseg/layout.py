"""What a folder of prepared data holds, and how large its slices are. Imports nothing that is slow."""

import os

SIZE = 256  # Rows and columns of every slice.

# What lvseg calls a split -> the file of its records.
RECORD_FILES = {'train': 'train_images.tfrecords', 'eval': 'val_images.tfrecords'}
MANIFEST_FILE = 'manifest.csv'


def record_file(data_dir: str, split: str) -> str:
    """Path of the record file of a split, 'train' or 'eval'."""
    return os.path.join(data_dir, RECORD_FILES[split])
