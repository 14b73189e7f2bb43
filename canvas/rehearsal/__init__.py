"""Tries a Canvas out: with the engine itself, on a twin of the Canvas, in a transaction that is rolled back.

stage     the twin, and time that is moved
one       one profile's way, with times and rendered requests
audience  which way how many of the audience would go now
"""
