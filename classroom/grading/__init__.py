"""Submissions of a class graded: strangers' code, run closed off, judged by what it has built."""
