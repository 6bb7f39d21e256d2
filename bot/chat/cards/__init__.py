"""The texts and buttons of cards. Pure functions."""
