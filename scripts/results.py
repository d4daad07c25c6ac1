"""Measures the figures of docs/results.md: -h lists the flags."""

from lvseg import errors

from experiments import results

if __name__ == '__main__':
    errors.exit_with_message(results.main)
