"""Tells how many minutes the trainings of the guide take on this machine: -h lists the flags."""

from lvseg import errors

from experiments import times

if __name__ == '__main__':
    errors.exit_with_message(times.main)
