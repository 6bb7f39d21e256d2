"""Photos: read, mended, cropped, shown with numbers."""
