"""Searches for better settings of an exercise: -h lists the flags."""

from lvseg import errors

from tuning import command

if __name__ == '__main__':
    errors.exit_with_message(command.main)
