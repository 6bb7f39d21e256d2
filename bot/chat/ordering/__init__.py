"""From what a person asks for to a stored task: drafts, limits, budgets."""
