"""TG-43 data of the seed models, one file for each, with citations."""
