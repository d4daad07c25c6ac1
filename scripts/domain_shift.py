"""Measures what a network is worth on other scanners and other hearts: -h lists the flags."""

from lvseg import errors

from experiments import domain_shift

if __name__ == '__main__':
    errors.exit_with_message(domain_shift.main)
