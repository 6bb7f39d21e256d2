"""Draw what the bot draws itself: the films of the model `preview`, and charts."""
