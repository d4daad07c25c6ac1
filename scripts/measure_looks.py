"""Measures how hopeful the best of many settings looks on the slices by which it was chosen: -h lists the flags."""

from lvseg import errors

from experiments import looks

if __name__ == '__main__':
    errors.exit_with_message(looks.main)
