"""Measures how much faster several workers train than one: -h lists the flags."""

from lvseg import errors

from experiments import scaling

if __name__ == '__main__':
    errors.exit_with_message(scaling.main)
