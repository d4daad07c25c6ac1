"""The exercises made from the solutions, and a student's network judged."""
