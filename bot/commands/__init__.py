"""What an operator does from the command line beside the bot that runs. Loads nothing before it is needed."""
