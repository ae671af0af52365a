"""Evaluation (评标): what is computed after the opening. Pure, as all of the domain."""
