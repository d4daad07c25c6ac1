"""Runs the whole lab and shows a table: -h lists the flags."""

from lvseg import errors

from experiments import whole_lab

if __name__ == '__main__':
    errors.exit_with_message(whole_lab.main)
