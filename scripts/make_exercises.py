"""Makes exercises/ from exercise_solutions/: -h lists the flags."""

from lvseg import errors

from classroom import making

if __name__ == '__main__':
    errors.exit_with_message(making.main)
