"""What comes out: results of fits, and how a model is read."""
