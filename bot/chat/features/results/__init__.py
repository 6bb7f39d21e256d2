"""The buttons of a finished video that no other card has."""
