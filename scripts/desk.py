"""Makes a desk of your own, where one lab is installed for many: -h lists the flags."""

from lvseg import errors

from setup import desk

if __name__ == '__main__':
    errors.exit_with_message(desk.main)
