"""Makes what is handed out to a class: -h lists the flags."""

from lvseg import errors

from classroom.handout import handing_out

if __name__ == '__main__':
    errors.exit_with_message(handing_out.main)
