"""Checks the network of an exercise: -h lists the flags."""

from lvseg import errors

from classroom import checking

if __name__ == '__main__':
    errors.exit_with_message(checking.main)
