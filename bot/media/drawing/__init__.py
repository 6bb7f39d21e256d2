"""Draws the films of the model `preview`: moving light and words, or a camera move over a photo."""
