"""Removes the runs in logs/ that later trainings have moved aside."""

from lvseg import errors, moved_aside

if __name__ == '__main__':
    errors.exit_with_message(moved_aside.main)
