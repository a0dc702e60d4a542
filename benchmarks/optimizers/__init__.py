"""How good the optimiser is: worlds in which the true accuracy of every prompt is known. Run it with ``python -m``."""
