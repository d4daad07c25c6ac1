"""Draws slices with the contours of the expert and the network: -h lists the flags."""

from lvseg import errors

from inside import drawing

if __name__ == '__main__':
    errors.exit_with_message(drawing.main)
