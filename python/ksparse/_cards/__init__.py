"""Scorecards: from a table with categories and gaps to points that a person can add up."""
