"""Measurements of the engine and of the optimiser; not part of the product."""
