"""The room display: a function of the state snapshot. The only place with Qt."""
