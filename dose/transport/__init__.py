"""Monte Carlo dose in the patient's own tissues: model-based, for research."""
