"""Commands for operators, to be used beside the running bot."""
