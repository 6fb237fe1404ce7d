"""The world outside: virtual patient, scanner, applicator and operator.

Imports none of the other packages, so that a shared bug cannot hide.
"""
