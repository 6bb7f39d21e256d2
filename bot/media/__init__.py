"""Photos and videos: the only folder that knows codecs."""
