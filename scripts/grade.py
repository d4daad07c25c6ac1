"""Grades the submissions of a class: -h lists the flags."""

from lvseg import errors

from classroom.grading import running

if __name__ == '__main__':
    errors.exit_with_message(running.main)
