"""Tells whether the lab can run here: -h lists the flags."""

from lvseg import errors

from setup import doctor

if __name__ == '__main__':
    errors.exit_with_message(doctor.main)
