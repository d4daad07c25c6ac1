"""Counts a network's weights and multiplications: -h lists the flags."""

from lvseg import errors

from inside import counting

if __name__ == '__main__':
    errors.exit_with_message(counting.main)
