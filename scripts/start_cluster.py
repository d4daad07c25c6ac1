"""Trains an exercise's network by several processes of this machine: -h lists the flags."""

from lvseg import errors

from cluster import local

if __name__ == '__main__':
    errors.exit_with_message(local.main)
