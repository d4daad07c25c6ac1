"""Packs the lab with your exercises and pictures, to take home."""

from lvseg import errors

from classroom import packing

if __name__ == '__main__':
    errors.exit_with_message(packing.main)
