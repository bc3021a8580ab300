"""What comes in: arrays and settings are checked here, once."""
