"""The shop itself: models, views (which are its controllers), templates, forms."""
