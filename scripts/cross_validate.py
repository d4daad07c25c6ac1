"""Cross-validates by patient: -h lists the flags."""

from lvseg import errors

from experiments import cross_validation

if __name__ == '__main__':
    errors.exit_with_message(cross_validation.main)
