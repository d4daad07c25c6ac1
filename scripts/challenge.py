"""Trains the challenge's network by its recipe: -h lists the flags."""

from lvseg import errors

from experiments import recipe

if __name__ == '__main__':
    errors.exit_with_message(recipe.main)
