"""Measures what phantoms are worth as a start for real slices: -h lists the flags."""

from lvseg import errors

from experiments import pretraining

if __name__ == '__main__':
    errors.exit_with_message(pretraining.main)
