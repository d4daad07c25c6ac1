"""Takes the guide's screenshots of TensorBoard: -h lists the flags."""

from lvseg import errors

from docs.figures import screenshots

if __name__ == '__main__':
    errors.exit_with_message(screenshots.main)
