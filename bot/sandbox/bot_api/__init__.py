"""The methods of the Bot API: their parameters, what they do, their errors and limits."""
