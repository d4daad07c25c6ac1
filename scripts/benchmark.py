"""Measures speed and memory: -h lists the flags."""

from lvseg import errors

from experiments import benchmark

if __name__ == '__main__':
    errors.exit_with_message(benchmark.main)
