"""Makes the notebooks of the guide: -h lists the flags."""

from lvseg import errors

from notebooks import building

if __name__ == '__main__':
    errors.exit_with_message(building.main)
