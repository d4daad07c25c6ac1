"""Draws the guide's figures: -h lists the flags."""

from lvseg import errors

from docs.figures import drawing

if __name__ == '__main__':
    errors.exit_with_message(drawing.main)
