"""One file per provider. Files with a leading underscore are what they share."""
