"""Measures how far volumes and ejection fractions of a trained network are off: -h lists the flags."""

from lvseg import errors

from experiments import volumes

if __name__ == '__main__':
    errors.exit_with_message(volumes.main)
