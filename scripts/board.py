"""Serves TensorBoard of the runs in logs/: -h lists the flags."""

from lvseg import errors

from inside import board

if __name__ == '__main__':
    errors.exit_with_message(board.main)
